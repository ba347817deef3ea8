"""Keeps the contract of a model: compares its columns with those stated, and creates its table as stated."""

from genredb.errors import ContractError
from genredb.runner.execution.runtime import Runtime
from genredb.runner.graph.contract import Contract, mismatches
from genredb.runner.graph.nodes import Model
from genredb.runner.templates.relation import Relation


def refuse_breach(runtime: Runtime, node: Model, sql: str) -> None:
    """Raise ContractError if the columns of a model's query are not those of its contract, if it has one."""
    contract = node.contract
    if contract is None:
        return
    found = runtime.executor.columns(f"(\n{sql}\n)")
    stated = runtime.executor.columns(f"({contract.empty_query})")
    differing = tuple((one.name, one.found, one.stated) for one in mismatches(stated, found))
    if differing:
        what = f"the columns of {node.name} are not those of its contract"
        raise ContractError(what, place=contract.place, differing=differing)


def create_declared(runtime: Runtime, relation: Relation, contract: Contract, sql: str) -> int | None:
    """Create a table with the columns and constraints of a contract from a query; return its rows."""
    executor = runtime.executor
    if executor.kind(relation) == "view":
        executor.run(f"drop view {relation}")
    executor.run(f"create or replace table {relation} ({', '.join(contract.definitions)})")
    names = ", ".join(contract.columns)
    return executor.run(f"insert into {relation} ({names}) select {names} from (\n{sql}\n) as model_subq")
