"""Activations, request ids in a table of their own, what servers have drained, people and their erasure."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Count = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Utc = sa.DateTime(timezone=True)
# PostgreSQL named it by itself, SQLite did not: there the table is copied, and knows it by this
_UNIQUE = {"uq": "%(table_name)s_%(column_0_N_name)s_key"}


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("pinned_snapshot", sa.Integer))
    _log()
    _learned()
    _new()


def _log() -> None:
    with op.batch_alter_table("decisions", naming_convention=_UNIQUE) as decisions:
        decisions.drop_constraint("decisions_campaign_request_id_key", type_="unique")
        decisions.alter_column("window_closes_at", existing_type=Utc, nullable=True)
        decisions.add_column(sa.Column("activate_by", Utc))
        decisions.add_column(sa.Column("activated_at", Utc))
        decisions.add_column(sa.Column("superseded_by", sa.String(40)))
        decisions.add_column(sa.Column("erased_at", Utc))
    op.execute("UPDATE decisions SET activated_at = at")  # nothing was deferred so far
    op.create_index("decisions_by_person", "decisions", ["person", "activated_at"])
    with op.batch_alter_table("choices") as choices:
        choices.alter_column("propensity", existing_type=sa.Float, nullable=True)
        choices.add_column(sa.Column("activated_at", Utc))
    op.execute(
        "UPDATE choices SET activated_at = (SELECT at FROM decisions WHERE decisions.decision_id = choices.decision_id)"
    )
    op.create_table(
        "requests",
        sa.Column("campaign", sa.String(63), nullable=False),
        sa.Column("request_id", sa.String(256), nullable=False),
        sa.Column("decision_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "request_id"),
    )
    op.create_index("requests_by_decision", "requests", ["decision_id"])
    op.execute(
        "INSERT INTO requests (campaign, request_id, decision_id) "
        "SELECT campaign, request_id, decision_id FROM decisions WHERE request_id IS NOT NULL"
    )
    op.create_table(
        "early_activations",
        sa.Column("activation_id", Count, primary_key=True),
        sa.Column("decision_id", sa.String(40), nullable=False),
        sa.Column("slots", sa.JSON, nullable=False),
        sa.Column("at", Utc, nullable=False),
    )
    op.create_index("early_activations_by_decision", "early_activations", ["decision_id"])
    op.add_column("windows", sa.Column("waiting", sa.Boolean, nullable=False, server_default=sa.false()))
    with op.batch_alter_table("outcomes") as outcomes:
        outcomes.alter_column("decision_id", existing_type=sa.String(40), nullable=True)
        outcomes.add_column(sa.Column("person", sa.String(32)))
    op.create_index("outcomes_by_person", "outcomes", ["person"])
    op.add_column("rewards", sa.Column("excluded", sa.String(16)))


def _learned() -> None:
    op.add_column("snapshots", sa.Column("published", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("snapshots", sa.Column("skipped", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("snapshots", sa.Column("base", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("snapshots", sa.Column("withdrawn_at", Utc))
    op.add_column("snapshot_slots", sa.Column("examples", Count))
    op.add_column("snapshot_slots", sa.Column("loss_sum", sa.Float))
    op.add_column("snapshot_slots", sa.Column("loss_weight", sa.Float))


def _new() -> None:
    op.create_table(
        "servers",
        sa.Column("server", sa.String(64), primary_key=True),
        sa.Column("started_at", Utc, nullable=False),
        sa.Column("seen_at", Utc, nullable=False),
        sa.Column("drained_through", Count, nullable=False),
        sa.Column("drained_until", Utc, nullable=False),
    )
    op.create_table(
        "people",
        sa.Column("person", sa.String(32), primary_key=True),
        sa.Column("linked_to", sa.String(32), nullable=False),
        sa.Column("linked_at", Utc, nullable=False),
    )
    op.create_index("people_by_link", "people", ["linked_to"])
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.String(32), primary_key=True),
        sa.Column("keys", sa.JSON, nullable=False),
        sa.Column("campaigns", sa.JSON, nullable=False),
        sa.Column("decisions", Count, nullable=False),
        sa.Column("outcomes", Count, nullable=False),
        sa.Column("links", Count, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("started_at", Utc, nullable=False),
        sa.Column("finished_at", Utc),
    )
    op.create_index("erasures_by_finish", "erasures", ["finished_at"])
