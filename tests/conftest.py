"""What the tests share: the command line, small raw files, a built database."""

import atexit
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from genredb.runner.execution import update
from genredb.runner.planning import inputs
from genredb.runner.project.config import Config, Settings, read_config
from genredb.songs.evaluate import evaluate
from genredb.songs.learn import classifiers
from genredb.songs.predict import predict
from tests.forked_cli import FEW_TREES, ForkedCli, Ran, few_trees_of
from tests.verbs import build

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / "golden"
MEMORY = Path("/dev/shm")
CHANGED = "changed.duckdb"
REAL_FILES = ("CS98XClassificationTrain.csv", "CS98XClassificationTest.csv")

Cli = Callable[..., Ran]
Shared = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """A folder filled once for all processes of the session; not to be changed.

    The first process that asks for a name fills its folder, the others wait.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def folder_of(name: str, fill: Callable[[Path], object]) -> Path:
        folder = root / f"shared-{name}"
        with folder.with_suffix(".filled").open("a") as filled:
            fcntl.flock(filled, fcntl.LOCK_EX)
            if not os.fstat(filled.fileno()).st_size:
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                filled.write("yes")
        return folder

    return folder_of


@pytest.fixture(scope="session")
def forked_cli() -> Iterator[ForkedCli]:
    """Run commands in forks of a process that has imported everything."""
    with ForkedCli() as forked:
        yield forked


@pytest.fixture(scope="session")
def cli(forked_cli: ForkedCli) -> Cli:
    """Run ``genredb`` in a process of its own, in ``cwd``, without this shell's GENREDB_ variables."""

    def run(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, stdin: str = "") -> Ran:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GENREDB_")}
        environment = inherited | {"COLUMNS": "120", "PYTHONPATH": str(ROOT)} | dict(env or {})
        return forked_cli.run([str(argument) for argument in arguments], cwd, environment, stdin)

    return run


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the competition's CSVs; tests that need it are skipped, visibly, where there is none."""
    folder = Path(os.environ.get("GENREDB_REAL_DATA") or ROOT / "data" / "raw")
    if not all((folder / name).is_file() for name in REAL_FILES):
        pytest.skip("the competition's CSVs are not here: set GENREDB_REAL_DATA or fill data/raw")
    return folder.resolve()


def config_for(raw_dir: Path, database: Path, **variables: Any) -> Config:
    """The shipped project on other raw files, and another database with a target folder beside it."""
    config = read_config(Settings(project_dir=ROOT, raw_dir=raw_dir, database=database, vars=variables))
    return replace(config, target_dir=database.parent / "target")


@pytest.fixture(scope="session")
def real_config(real_data: Path, shared: Shared) -> Config:
    """The real CSVs, built once."""

    def fill(folder: Path) -> None:
        assert build(config_for(real_data, folder / "real.duckdb")).exit_code == 0

    return config_for(real_data, shared("real", fill) / "real.duckdb")


@pytest.fixture(scope="session")
def real(real_config: Config) -> Iterator[duckdb.DuckDBPyConnection]:
    """A reader of the database built from the real CSVs."""
    with duckdb.connect(str(real_config.database), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def real_predicted(real_config: Config, shared: Shared) -> Config:
    """A copy of the database built from the real CSVs, predicted; not to be changed."""

    def fill(folder: Path) -> None:
        predict(changed(real_config, folder, "select 1"))

    return config_for(real_config.raw_dir, shared("real-predicted", fill) / CHANGED)


TRAIN_HEADER = "Id,title,artist,year,bpm,nrgy,dnce,dB,live,val,dur,acous,spch,pop,top genre"
TEST_HEADER = TRAIN_HEADER.removesuffix(",top genre")


@pytest.fixture
def raw_dir(tmp_path: Path) -> Path:
    """A folder with a small, good pair of raw files that a test may change."""
    folder = tmp_path / "raw"
    folder.mkdir()
    write_raw(folder)
    return folder


def write_raw(folder: Path) -> None:
    """Write twelve labelled songs (three genres, four artists), one unlabelled and three test songs."""
    genres = ["pop", "album rock", "pop", "disco"]
    train = [TRAIN_HEADER]
    for number in range(1, 13):
        artist, genre = f"Artist {number % 4}", genres[number % 4]
        train.append(f"{number},Song {number},{artist},{1970 + number},{song(number)},{genre}")
    train.append(f"13,Unlabelled,Artist 0,1999,{song(13)},")
    test = [TEST_HEADER, *(f"{n},Asked {n},Artist {n - 11},1999,{song(n)}" for n in (14, 15, 16))]
    (folder / REAL_FILES[0]).write_text("\n".join(train) + "\n", encoding="utf-8")
    (folder / REAL_FILES[1]).write_text("\n".join(test) + "\n", encoding="utf-8")


def song(number: int) -> str:
    """Ten plausible numbers: bpm, nrgy, dnce, dB, live, val, dur, acous, spch, pop."""
    return f"{100 + number},{40 + number},{50 + number},{-5 - number},{10 + number},{60 - number},{200 + number},{20 + number},{3 + number},{50 + number}"


@pytest.fixture(scope="session")
def built(cli: Cli, shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty working directory in which the shipped project was built on the small raw files."""

    def fill(folder: Path) -> None:
        (folder / "data" / "raw").mkdir(parents=True)
        write_raw(folder / "data" / "raw")
        assert cli("build", cwd=folder).code == 0
        assert cli("predict", cwd=folder).code == 0

    folder = tmp_path_factory.mktemp("built")
    return shutil.copytree(shared("built", fill), folder, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def sample_folder(cli: Cli, shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty working directory in which the shipped project was built on its sample, and predicted."""

    def fill(folder: Path) -> None:
        assert cli("build", "-q", cwd=folder).code == 0
        assert cli("predict", "-q", cwd=folder).code == 0

    folder = tmp_path_factory.mktemp("sample")
    return shutil.copytree(shared("sample", fill), folder, dirs_exist_ok=True)


@pytest.fixture
def config(raw_dir: Path, tmp_path: Path) -> Config:
    """The shipped project on the small raw files."""
    return config_for(raw_dir, tmp_path / "genre.duckdb")


@pytest.fixture
def built_config(config: Config, predicted: Config, quick_forests: None) -> Config:
    """The same, built, which takes a third of the time on a copy of what was built from the same bytes.

    No classifier is kept in it; those that the test fits have few trees.
    """
    shutil.copy(predicted.database, config.database)
    with duckdb.connect(str(config.database)) as connection:
        connection.execute("delete from ml.predictions; delete from ml.classifiers")
    assert build(config).exit_code == 0
    return config


@pytest.fixture(scope="session")
def predicted(shared: Shared) -> Config:
    """The shipped project on the small raw files, built and predicted; not to be changed."""

    def fill(folder: Path) -> None:
        write_raw(folder)
        config = config_for(folder, folder / "genre.duckdb")
        build(config)
        result = predict(config)
        assert (result.songs, result.by_artist, result.is_published) == (4, 2, True)

    folder = shared("predicted", fill)
    return config_for(folder, folder / "genre.duckdb")


@contextmanager
def few_trees() -> Iterator[None]:
    """Fit forests of a few trees, here and in forks, where the number of trees is not the point."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FEW_TREES, "yes")
        patch.setattr(classifiers, "_forest", few_trees_of(classifiers._forest))
        yield


@pytest.fixture
def quick_forests() -> Iterator[None]:
    """Fit forests of a few trees within the test; what the session shares was fitted before, with all."""
    with few_trees():
        yield


@pytest.fixture(scope="session")
def evaluated(predicted: Config, shared: Shared) -> Config:
    """The predicted database with the default classifier and `majority` judged; not to be changed."""

    def fill(folder: Path) -> None:
        config = changed(predicted, folder, "select 1")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LOKY_MAX_CPU_COUNT", "1")
            with few_trees():
                evaluate(config, [])
            patch.setenv("LOKY_MAX_CPU_COUNT", "2")  # here, in processes as everybody does
            evaluate(config, ["majority"])

    return config_for(predicted.raw_dir, shared("evaluated", fill) / CHANGED)


def changed(predicted: Config, folder: Path, statement: str, *parameters: object) -> Config:
    """A copy of the predicted database with something changed in it behind genredb's back."""
    database = folder / CHANGED
    database.write_bytes(predicted.database.read_bytes())
    with duckdb.connect(str(database)) as connection:
        connection.execute(statement, list(parameters))
    return config_for(predicted.raw_dir, database)


def rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query on a published database."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def check_golden(name: str, text: str) -> None:
    """Hold a text against its golden file; GENREDB_UPDATE_GOLDEN=1 writes it instead."""
    path = GOLDEN / name
    if os.environ.get("GENREDB_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def pytest_configure() -> None:
    """Keep what tests write in memory where there is room: every published database waits for a disk otherwise."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4 << 30:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Share the whole suite among two processes; a choice of tests starts sooner without."""
    return 0 if config.args_source is pytest.Config.ArgsSource.ARGS else 2


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let quick tests judge classifiers without further processes, which take longer to start than to work."""
    os.environ.pop("LOKY_MAX_CPU_COUNT", None)
    if item.get_closest_marker("slow") is None:
        os.environ["LOKY_MAX_CPU_COUNT"] = "1"


def pytest_sessionfinish() -> None:
    """Keep the summary the last word: DuckDB's bindings list at exit what Hypothesis still holds."""
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))


@pytest.fixture
def few_rows_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small projects, too, be brought up to date by changed rows, however many these are."""
    monkeypatch.setattr(inputs, "FEWEST_RECORDS", 0)
    monkeypatch.setattr(update, "FEWEST_UNCHANGED", 0)
