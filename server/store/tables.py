"""The tables, made to be read with plain SQL, the same on SQLite and PostgreSQL. Times are UTC with microseconds; JSON
columns hold UTF-8 text. What is changed here needs a revision under migrations/ too.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.types import TypeDecorator

# SQLite's Integer has 64 bits, and only a key that is called INTEGER counts up by itself; PostgreSQL's Integer has 32
Count = BigInteger().with_variant(Integer, "sqlite")


class Utc(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC. SQLite knows no time zones: the stored text is UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert isinstance(value, datetime)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("campaign", String(63), nullable=False),
    Column("version", Integer, nullable=False),
    Column("number", Integer, nullable=False),  # the campaign's own, inside decision ids; the same for all versions
    Column("state", String(16), nullable=False),
    Column("document", JSON, nullable=False),  # normalised
    Column("source", Text, nullable=False),  # as it was written
    Column("created_at", Utc, nullable=False),
    Column("pinned_snapshot", Integer),  # the one that serves whatever is learned
    PrimaryKeyConstraint("campaign", "version"),
)

# Written once, but for what an activation, an earlier answer of another server, or an erasure sets.
decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", String(40), primary_key=True),
    Column("campaign", String(63), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Utc, nullable=False),
    Column("person", String(32)),  # keyed hash
    Column("context", JSON, nullable=False),
    Column("ignored_context", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("time_zone", String(64)),
    Column("group_name", String(16), nullable=False),
    Column("snapshot_id", Integer),
    Column("activate_by", Utc),  # when a deferred activation is given up; null where nothing was deferred
    Column("activated_at", Utc),  # when the first of its slots was shown; null as long as none was
    Column("window_closes_at", Utc),  # null as long as no window has begun
    Column("request_id", String(256)),
    Column("request_hash", String(32)),
    Column("superseded_by", String(40)),
    Column("erased_at", Utc),
    ForeignKeyConstraint(["campaign", "version"], ["campaigns.campaign", "campaigns.version"]),
    Index("decisions_by_time", "campaign", "at"),
    Index("decisions_by_person", "person", "activated_at"),
)

# What makes a request id unique. A table of its own, so that decisions and choices can be partitioned by decision_id,
# which sorts by time.
requests = Table(
    "requests",
    metadata,
    Column("campaign", String(63), nullable=False),
    Column("request_id", String(256), nullable=False),
    Column("decision_id", String(40), nullable=False),
    PrimaryKeyConstraint("campaign", "request_id"),
    Index("requests_by_decision", "decision_id"),
)

choices = Table(
    "choices",
    metadata,
    Column("decision_id", String(40), nullable=False),
    Column("position", Integer, nullable=False),  # slots are decided in this order
    Column("slot", String(63), nullable=False),
    Column("variant", Text, nullable=False),
    Column("propensity", Float),  # null where it was chosen elsewhere and nobody knows
    Column("kind", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("policy", Text, nullable=False),
    Column("explore", Float, nullable=False),
    Column("eligible", JSON, nullable=False),  # ids
    Column(
        "probabilities", JSON, nullable=False
    ),  # of the eligible, in their order; [] where only the propensity is known
    Column("candidates", JSON, nullable=False),  # variants that existed only in this call
    Column("refusals", JSON, nullable=False),
    Column("activated_at", Utc),  # when this slot was shown; null as long as it was not
    PrimaryKeyConstraint("decision_id", "position"),
    ForeignKeyConstraint(["decision_id"], ["decisions.decision_id"]),
)

# Activations that came before their decision: they are applied when it is stored.
early_activations = Table(
    "early_activations",
    metadata,
    Column("activation_id", Count, primary_key=True),
    Column("decision_id", String(40), nullable=False),
    Column("slots", JSON, nullable=False),  # [] for all
    Column("at", Utc, nullable=False),
    Index("early_activations_by_decision", "decision_id"),
)

# Decisions whose window is open: what the trainer still has to mature. A row leaves when its reward arrives. While
# `waiting`, no window has begun: closes_at is when the activation is given up.
windows = Table(
    "windows",
    metadata,
    Column("decision_id", String(40), primary_key=True),
    Column("campaign", String(63), nullable=False),
    Column("closes_at", Utc, nullable=False),
    Column("waiting", Boolean, nullable=False, server_default=false()),
    Index("windows_by_close", "campaign", "closes_at", "decision_id"),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("outcome_id", Count, primary_key=True),
    # no foreign key: an outcome may arrive before its decision; null: told of a person whose last decision is not known
    Column("decision_id", String(40)),
    Column("campaign", String(63), nullable=False),
    Column("person", String(32)),  # where it was told of a person: their keyed hash
    Column("slot", String(63)),
    Column("metric", String(63), nullable=False),
    Column("value", Float, nullable=False),
    Column("at", Utc, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("status", String(16), nullable=False),
    Column("key", String(256)),
    # the same key counts once for a decision and metric; the index also finds the outcomes of a decision
    UniqueConstraint("decision_id", "metric", "key"),
    Index("outcomes_by_person", "person"),
)

rewards = Table(
    "rewards",
    metadata,
    Column("campaign", String(63), nullable=False),
    Column("sequence", Count, nullable=False),  # gap-free within the campaign
    Column("decision_id", String(40), nullable=False, unique=True),
    Column("reward", Float),
    Column("slot_rewards", JSON, nullable=False),
    Column("error", Text),
    Column("excluded", String(16)),  # why it counts for nothing, where it does not: see records.Excluded
    Column("matured_at", Utc, nullable=False),
    PrimaryKeyConstraint("campaign", "sequence"),
    ForeignKeyConstraint(["decision_id"], ["decisions.decision_id"]),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("snapshot_id", Integer, primary_key=True),
    Column("campaign", String(63), nullable=False),
    Column("version", Integer, nullable=False),  # of the campaign that learned
    Column("lineage", Integer, nullable=False),
    Column("parent_id", Integer),
    Column("trained_from", Count, nullable=False),
    Column("trained_through", Count, nullable=False),
    Column("examples", Count, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("versions", JSON, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("published", Boolean, nullable=False, server_default=true()),  # whether it may serve
    Column("skipped", Boolean, nullable=False, server_default=false()),  # its segment was passed over, not learned
    Column("base", Boolean, nullable=False, server_default=false()),  # kept: the log before it is past its retention
    Column("withdrawn_at", Utc),  # it had learned from a person since erased
    UniqueConstraint("campaign", "lineage", "trained_through"),
)

snapshot_slots = Table(
    "snapshot_slots",
    metadata,
    Column("snapshot_id", Integer, nullable=False),
    Column("slot", String(63), nullable=False),
    Column("policy", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("configuration", Text, nullable=False),
    Column("state", LargeBinary),  # null once thinned out: it can be rebuilt from the log
    Column("digest", String(32), nullable=False),  # of the state; stays when it is thinned out
    # over the whole lineage; losses were taken before learning, weighted by what the policy would have done
    Column("examples", Count),
    Column("loss_sum", Float),
    Column("loss_weight", Float),
    PrimaryKeyConstraint("snapshot_id", "slot"),
    ForeignKeyConstraint(["snapshot_id"], ["snapshots.snapshot_id"]),
)

leases = Table(
    "leases",
    metadata,
    Column("campaign", String(63), primary_key=True),
    Column("holder", String(100), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("expires_at", Utc, nullable=False),
)

# Servers that acknowledge before they write here: how far each has come.
servers = Table(
    "servers",
    metadata,
    Column("server", String(64), primary_key=True),  # the identity of its outbox
    Column("started_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Column("drained_through", Count, nullable=False),  # the place in its outbox
    Column("drained_until", Utc, nullable=False),  # what it acknowledged before is here
)

# Keys of one human being: a cookie, and the customer that it turned out to be. Both as keyed hashes.
people = Table(
    "people",
    metadata,
    Column("person", String(32), primary_key=True),
    Column("linked_to", String(32), nullable=False),
    Column("linked_at", Utc, nullable=False),
    Index("people_by_link", "linked_to"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", String(32), primary_key=True),
    Column("keys", JSON, nullable=False),  # keyed hashes; [] once it is done
    Column("campaigns", JSON, nullable=False),  # which had learned from them, and the lineages before
    Column("decisions", Count, nullable=False),
    Column("outcomes", Count, nullable=False),
    Column("links", Count, nullable=False),
    Column("error", Text),
    Column("started_at", Utc, nullable=False),
    Column("finished_at", Utc),
    Index("erasures_by_finish", "finished_at"),  # the trainer asks for those that have none with every pass
)

# Evaluations as jobs. A row is changed only by whoever holds it, but for being cancelled, which anybody may.
evaluations = Table(
    "evaluations",
    metadata,
    Column("evaluation_id", String(32), primary_key=True),
    Column("campaign", String(63), nullable=False),
    Column("state", String(16), nullable=False),
    Column("request", JSON, nullable=False),  # what was asked, but for what is left at its default
    Column("request_id", String(256), unique=True),
    Column("request_hash", String(32), nullable=False),
    Column("provenance", JSON, nullable=False),  # what of the log it sees, and what computed it
    Column("created_at", Utc, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("started_at", Utc),
    Column("finished_at", Utc),
    Column("attempts", Integer, nullable=False),  # how often it was begun
    Column("holder", String(100)),  # who runs it; null unless it runs
    Column("held_until", Utc),  # when others may take it, unless its holder says before that it is alive
    Column("progress", Float, nullable=False),
    Column("stage", Text, nullable=False),
    Column("error_code", String(32)),
    Column("error", Text),
    Column("result", JSON(none_as_null=True)),
    Index("evaluations_by_time", "created_at", "evaluation_id"),
    Index("evaluations_by_campaign", "campaign", "created_at"),
    Index("evaluations_by_state", "state", "created_at"),
)
