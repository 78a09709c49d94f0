"""Evaluations as jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Utc = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "evaluations",
        sa.Column("evaluation_id", sa.String(32), primary_key=True),
        sa.Column("campaign", sa.String(63), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("request_id", sa.String(256), unique=True),
        sa.Column("request_hash", sa.String(32), nullable=False),
        sa.Column("provenance", sa.JSON, nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("started_at", Utc),
        sa.Column("finished_at", Utc),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("holder", sa.String(100)),
        sa.Column("held_until", Utc),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("error_code", sa.String(32)),
        sa.Column("error", sa.Text),
        sa.Column("result", sa.JSON),
    )
    op.create_index("evaluations_by_time", "evaluations", ["created_at", "evaluation_id"])
    op.create_index("evaluations_by_campaign", "evaluations", ["campaign", "created_at"])
    op.create_index("evaluations_by_state", "evaluations", ["state", "created_at"])
