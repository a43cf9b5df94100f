"""The commands around a job: validate, plan, run it, see how far it is; and the demo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zonalbatch.cli.interruption import Interruption
from zonalbatch.cli.worker import seconds_given

if TYPE_CHECKING:
    from zonalbatch.planning.news import Change
    from zonalbatch.planning.plan import Plan
    from zonalbatch.receipts import Report

__all__ = ["AllowCode", "demo", "plan", "run", "schema", "status", "validate"]

JobFile = Annotated[Path, typer.Argument(metavar="JOB", help="A job file, YAML or JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
AllowCode = Annotated[
    bool,
    typer.Option(
        "--allow-code", help="Import the functions that the job names as module:function."
    ),
]
Prune = Annotated[
    bool,
    typer.Option("--prune", help="Remove the rows of zones and layers that the job does not name."),
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify", help="See first that all files are as they were written; mend what is not."
    ),
]
RetryFailed = Annotated[
    bool,
    typer.Option("--retry-failed", help="Try again to read what an earlier run recorded."),
]
OkWithFailures = Annotated[
    bool,
    typer.Option("--ok-with-failures", help="End with 0, not 3, where failures are recorded."),
]
Wait = Annotated[
    str,
    typer.Option(
        help="How long to wait for another run of the output to end, for a scheduler, and for a "
        "first worker: 90s, 10min."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def run(
    context: typer.Context,
    job: JobFile,
    quiet: Quiet = False,
    as_json: AsJson = False,
    allow_code: AllowCode = False,
    prune: Prune = False,
    retry_failed: RetryFailed = False,
    verify: Verify = False,
    ok_with_failures: OkWithFailures = False,
    wait: Wait = "0s",
) -> None:
    """Do a job, or what is left or new of it.

    Run the same command again after an interruption, or with more zones or scenes in the job:
    parts that are done are kept.

    Example: `zonalbatch run job.yaml`
    """
    from zonalbatch.api import run as run_job
    from zonalbatch.asked import recipe_of
    from zonalbatch.claim import without_version
    from zonalbatch.job import Job
    from zonalbatch.progress import Bar, Silent, observer_for

    patience = seconds_given("--wait", wait)
    document = Job.from_file(job, allow_code=allow_code)
    if name := without_version(recipe_of(document)):
        context.ensure_object(Interruption).advice = (
            f"no run goes on from here, as {name} has no version: remove {document.output.path}, "
            f'write {name}.version = "1", and run again'
        )
    observer: Any = Silent() if quiet else observer_for()
    try:
        report = run_job(
            document, observer=observer, prune=prune, retry_failed=retry_failed, verify=verify,
            wait=patience,
        )  # fmt: skip
    finally:
        if isinstance(observer, Bar):
            observer.stop()
    _tell_report(report, as_json, quiet)
    raise typer.Exit(0 if ok_with_failures else report.exit_code)


def plan(
    job: JobFile, as_json: AsJson = False, allow_code: AllowCode = False, prune: Prune = False
) -> None:
    """Print what a job will do, and what of it is new: parts, rows, bytes, memory. Reads no pixel.

    The plan is stored in the output's folder `plan`, for a look at its tables; it claims nothing.

    Example: `zonalbatch plan job.yaml`
    """
    from zonalbatch.api import plan as plan_job
    from zonalbatch.job import Job

    _tell_plan(plan_job(Job.from_file(job, allow_code=allow_code), prune=prune), as_json)


def validate(job: JobFile, allow_code: AllowCode = False) -> None:
    """Check a job file without opening its zones or rasters.

    Example: `zonalbatch validate job.yaml`
    """
    from zonalbatch.asked import recipe_of
    from zonalbatch.job import Job

    document = Job.from_file(job, allow_code=allow_code)
    recipe = recipe_of(document)
    print(
        f"{job} is a valid job: {len(recipe.measurements)} measurements × "
        f"{len(recipe.asked)} statistics, into {document.output.path}"
    )


def schema() -> None:
    """Print the JSON Schema of job files, for editors and services.

    Example: `zonalbatch schema > job.schema.json`
    """
    from zonalbatch.job import Job

    print(json.dumps(Job.schema_json(), indent=2))


def status(
    out: Annotated[str, typer.Argument(metavar="OUT", help="The output folder of a run.")],
    digest: Annotated[
        bool, typer.Option("--digest", help="Print a SHA-256 over all rows, however they are cut.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell how far a run has come.

    Example: `zonalbatch status out/ --digest`
    """
    from dataclasses import asdict

    from zonalbatch.progress import size_text
    from zonalbatch.results import open_results, status_of

    found = asdict(status_of(out))
    if digest:
        found["digest"] = open_results(out).digest
    if as_json:
        print(json.dumps(found))
        return
    state = "sealed" if found["sealed"] else "not sealed; run the job again to go on"
    print(f"{out}: {state}")
    print(f"  parts     {found['done']:,} of {found['parts']:,} done{_left(found)}")
    print(f"  rows      {found['rows']:,}")
    if found["temporal"] is not None:
        print(f"  temporal  {found['temporal']:,} rows over time")
    print(f"  size      {size_text(found['bytes'])}")
    print(f"  failures  {found['failures']:,}")
    if digest:
        print(f"  digest    {found['digest']}")


def _left(status: dict[str, Any]) -> str:
    """What is said of parts beside how many are done."""
    left = status["parts"] - status["done"]
    told = [f"{left:,} to do"] if left else []
    told += [f"{status['failed']:,} with failures"] if status["failed"] else []
    return "".join(f", {one}" for one in told)


def demo(
    folder: Annotated[
        Path, typer.Option(help="Where the data, the job and the result are left.")
    ] = Path("zonalbatch-demo"),
) -> None:
    """Make a small landscape, run a whole job over it, and show what came out.

    Example: `zonalbatch demo`
    """
    from zonalbatch.demo.tour import show

    show(folder)


def _tell_report(report: Report, as_json: bool, quiet: bool) -> None:
    from dataclasses import asdict

    from zonalbatch.progress import size_text

    if as_json:
        print(json.dumps(asdict(report)))
        return
    if quiet:
        return
    there = report.parts - report.computed
    told = [f"{there:,} were there already"] if there else []
    if report.rewritten:
        told.append(f"{report.rewritten:,} rewritten from rows that were")
    kept = f" ({', '.join(told)})" if told else ""
    print(
        f"{report.rows:,} rows, {size_text(report.bytes)}, in {report.parts:,} parts{kept}: "
        f"{report.output}/results   {report.seconds:.1f} s"
    )
    for note in report.notes:
        print(f"note: {note}")
    if report.failures:
        several = "s" * (report.failures != 1)
        print(f"{report.failures:,} failure{several}, listed in {report.output}/failures.parquet:")
        _tell_failures(report)


def _tell_failures(report: Report) -> None:
    """The causes that most of them have, each with an example."""
    from zonalbatch.sinks.failures import by_cause, read_failures
    from zonalbatch.sinks.output import Output

    causes = by_cause(read_failures(Output.at(report.output).path / "failures.parquet"))
    for example, count in causes[:5]:
        alike = f" (and {count - 1:,} alike)" if count > 1 else ""
        print(f"  {example.layer}: {example.cause}{alike}")
    if len(causes) > 5:
        print(f"  … and {len(causes) - 5:,} other causes")


def _tell_plan(made: Plan, as_json: bool) -> None:
    from dataclasses import asdict

    from zonalbatch.progress import size_text

    estimate = made.estimate
    if as_json:
        print(json.dumps(asdict(estimate) | {"fingerprint": made.fingerprint} | _news(made)))
        return
    lattices = {a.grid.lattice for layer in made.layers for a in layer.assets}
    print(f"plan {made.fingerprint}")
    print(f"  zones     {estimate.zones:,}")
    print(f"  layers    {estimate.layers:,} on {len(lattices):,} lattices")
    print(
        f"  parts     {estimate.parts:,}, cut by {made.partition.bucket} and cells of "
        f"{2**made.partition.level} × {2**made.partition.level} fold tiles"
    )
    print(f"  rows      at most {estimate.rows:,}")
    print(f"  to read   at most {size_text(estimate.decoded)}, decoded")
    print(f"  memory    about {size_text(estimate.memory)} a worker")
    _tell_news(made)
    print(f"  stored    {made.folder}")
    for failure in made.failures:
        print(f"  failure   {failure.cause}")
    for note in made.notes:
        print(f"  note      {note}")


def _news(made: Plan) -> dict[str, Any]:
    from dataclasses import asdict

    news = {"zones": made.news.zones.document, "layers": made.news.layers.document}
    return {"new": news, "todo": asdict(made.todo)}


def _tell_news(made: Plan) -> None:
    """What is new beside what the output holds, if it holds anything."""
    from zonalbatch.progress import size_text

    if not made.news.done:
        return
    told = (_change("zones", made.news.zones), _change("layers", made.news.layers))
    print(f"  new       {'; '.join(told)}")
    todo = made.todo
    print(
        f"  to do     {todo.computed:,} part{'s' * (todo.computed != 1)}, "
        f"at most {size_text(todo.decoded)} decoded; "
        f"{todo.rewritten:,} rewritten from their rows, {todo.kept:,} kept"
    )


def _change(noun: str, change: Change) -> str:
    counts = [f"{count:,} {what}" for what, count in change.document.items() if count]
    return f"{noun} {', '.join(counts) or 'as they were'}"
