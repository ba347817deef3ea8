"""Forgets stale predictions in the middle of a build, once it can tell, and plans what reads them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from genredb.runner.execution.runtime import Runtime
from genredb.runner.planning.options import Options
from genredb.runner.planning.own_tables import readers_of
from genredb.runner.planning.plan import Plan
from genredb.runner.planning.planner import plan_readers
from genredb.runner.planning.state import State
from genredb.runner.reasons import Reason
from genredb.warehouse.connection import Connection
from genredb.warehouse.tables import OwnTable


@dataclass
class Settlement:
    """The plan of a build, and the rows that it removed from genredb's own ``tables``, as they are by now.

    ``forget`` removes the rows that do not match the data and returns their numbers, by table.
    """

    plan: Plan
    state: State
    options: Options
    connection: Connection
    runtime: Runtime
    tables: tuple[OwnTable, ...]
    forget: Callable[[], Mapping[str, int]]
    forgotten: Mapping[str, int] = field(default_factory=dict)

    @property
    def late(self) -> frozenset[str]:
        """The nodes that read these tables: they run when it is settled what these hold."""
        return frozenset(readers_of(self.plan.compilation, {table.name for table in self.tables}))

    def settle(self) -> Mapping[str, Reason]:
        """Forget what is stale; return the plan, with the reasons for what reads it."""
        self.forgotten = self.forget()
        if self.forgotten:
            before = self.plan.identities
            self.plan = plan_readers(self.plan, self.state, self.connection, self.options, self.tables)
            self.runtime.whole.update(i for i, now in self.plan.identities.items() if now != before[i])
        return self.plan.reasons
