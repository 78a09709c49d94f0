"""The tables of version 0.1, as they were made before there were migrations."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Count = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Utc = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "campaigns",
        sa.Column("campaign", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("campaign", "version"),
    )
    op.create_table(
        "leases",
        sa.Column("campaign", sa.String(63), primary_key=True),
        sa.Column("holder", sa.String(100), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("expires_at", Utc, nullable=False),
    )
    _log()
    _learned()


def _log() -> None:
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.String(40), primary_key=True),
        sa.Column("campaign", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("person", sa.String(32)),
        sa.Column("context", sa.JSON, nullable=False),
        sa.Column("ignored_context", sa.JSON, nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("time_zone", sa.String(64)),
        sa.Column("group_name", sa.String(16), nullable=False),
        sa.Column("snapshot_id", sa.Integer),
        sa.Column("window_closes_at", Utc, nullable=False),
        sa.Column("request_id", sa.String(256)),
        sa.Column("request_hash", sa.String(32)),
        sa.ForeignKeyConstraint(["campaign", "version"], ["campaigns.campaign", "campaigns.version"]),
        sa.UniqueConstraint("campaign", "request_id"),
    )
    op.create_index("decisions_by_time", "decisions", ["campaign", "at"])
    op.create_table(
        "choices",
        sa.Column("decision_id", sa.String(40), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("slot", sa.String(63), nullable=False),
        sa.Column("variant", sa.Text, nullable=False),
        sa.Column("propensity", sa.Float, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("explore", sa.Float, nullable=False),
        sa.Column("eligible", sa.JSON, nullable=False),
        sa.Column("probabilities", sa.JSON, nullable=False),
        sa.Column("candidates", sa.JSON, nullable=False),
        sa.Column("refusals", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("decision_id", "position"),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.decision_id"]),
    )
    op.create_table(
        "windows",
        sa.Column("decision_id", sa.String(40), primary_key=True),
        sa.Column("campaign", sa.String(63), nullable=False),
        sa.Column("closes_at", Utc, nullable=False),
    )
    op.create_index("windows_by_close", "windows", ["campaign", "closes_at", "decision_id"])
    op.create_table(
        "outcomes",
        sa.Column("outcome_id", Count, primary_key=True),
        sa.Column("decision_id", sa.String(40), nullable=False),
        sa.Column("campaign", sa.String(63), nullable=False),
        sa.Column("slot", sa.String(63)),
        sa.Column("metric", sa.String(63), nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("received_at", Utc, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("key", sa.String(256)),
        sa.UniqueConstraint("decision_id", "metric", "key"),
    )
    op.create_table(
        "rewards",
        sa.Column("campaign", sa.String(63), nullable=False),
        sa.Column("sequence", Count, nullable=False),
        sa.Column("decision_id", sa.String(40), nullable=False, unique=True),
        sa.Column("reward", sa.Float),
        sa.Column("slot_rewards", sa.JSON, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("matured_at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("campaign", "sequence"),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.decision_id"]),
    )


def _learned() -> None:
    op.create_table(
        "snapshots",
        sa.Column("snapshot_id", sa.Integer, primary_key=True),
        sa.Column("campaign", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("lineage", sa.Integer, nullable=False),
        sa.Column("parent_id", sa.Integer),
        sa.Column("trained_from", Count, nullable=False),
        sa.Column("trained_through", Count, nullable=False),
        sa.Column("examples", Count, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("versions", sa.JSON, nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.UniqueConstraint("campaign", "lineage", "trained_through"),
    )
    op.create_table(
        "snapshot_slots",
        sa.Column("snapshot_id", sa.Integer, nullable=False),
        sa.Column("slot", sa.String(63), nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("configuration", sa.Text, nullable=False),
        sa.Column("state", sa.LargeBinary),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", "slot"),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.snapshot_id"]),
    )
