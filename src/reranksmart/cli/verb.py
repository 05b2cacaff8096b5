"""`@verb` makes a function a verb: its command line, threads, the folder that it makes, and where that comes from."""

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from reranksmart.files.code import code_digest
from reranksmart.files.code.verbs import verb_name
from reranksmart.files.made import measurements
from reranksmart.files.provenance import write_provenance
from reranksmart.files.writing import atomic_directory

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

NewFolder = Annotated[Path, typer.Option(help="the folder that is made, whole or not at all")]
"""Of such an argument a verb is given a temporary folder, which takes its place once the verb has ended well."""
Threads = Annotated[int, typer.Option(min=1, help="processor threads")]
Record = Annotated[Path | None, typer.Option(help="where the provenance of a file that is made is kept")]
Recipe = Annotated[str, typer.Option(help="a digest of all that the result depends on, kept in its provenance")]

Function = Callable[..., None]
_KEPT_APART = ("output", "recipe", "recipes", "record", "seed", "threads")
"""Arguments that are no settings of provenance.json: the place says nothing of the content."""


class _Call(NamedTuple):
    function: Function
    arguments: Mapping[str, Any]


_RUNNING: ContextVar[_Call] = ContextVar("_RUNNING")


@app.callback()
def _verbs() -> None:
    """Keeps the verb's name on the command line where only one is loaded."""


def verb(*, computes: bool = False, by_hand: bool = False) -> Callable[[Function], Function]:
    """Registers a function as the verb of its name; its parameters are the options, its docstring is the help.

    A verb that ``computes`` has ``--threads``, which it takes itself only if it records them. One that is called
    ``by_hand`` stands first in the list of verbs; the others, which rules call, have ``--recipe`` and ``--record``.
    """

    def registered(function: Function) -> Function:
        own = inspect.signature(function, eval_str=True)
        whole = own.replace(parameters=[*own.parameters.values(), *_added(own, computes=computes, by_hand=by_hand)])
        makes = [name for name, parameter in own.parameters.items() if parameter.annotation == NewFolder]

        @functools.wraps(function)
        def run(*given: Any, **named: Any) -> None:
            bound = whole.bind(*given, **named)
            bound.apply_defaults()
            arguments = {name: bound.arguments[name] for name in own.parameters}
            if computes:
                _use_threads(bound.arguments["threads"])
            token = _RUNNING.set(_Call(function, bound.arguments))
            try:
                if makes:
                    with new_folder(arguments[makes[0]]) as target:
                        function(**{**arguments, makes[0]: target})
                else:
                    if record := bound.arguments.get("record"):
                        record.unlink(missing_ok=True)  # it tells of what was made before
                    function(**arguments)
                    if record:
                        _write_provenance(record)
            finally:
                _RUNNING.reset(token)

        run.__signature__ = whole  # type: ignore[attr-defined]
        run.__annotations__ = {name: parameter.annotation for name, parameter in whole.parameters.items()}
        app.command(verb_name(function.__name__))(run)
        return run

    return registered


@contextmanager
def new_folder(folder: Path, *kinds: str) -> Iterator[Path]:
    """The folder that the running verb makes, with its provenance; for one that decides late whether to make it.

    ``kinds`` are the modules of kinds whose code it runs, as of a dataset.
    """
    with atomic_directory(folder) as target:
        yield target
        _write_provenance(target / "provenance.json", *kinds)


def _write_provenance(path: Path, *kinds: str) -> None:
    function, arguments = _RUNNING.get()
    write_provenance(
        path,
        verb=verb_name(function.__name__),
        code=running_code(*kinds),
        recipe=arguments.get("recipe", ""),
        arguments={name: value for name, value in arguments.items() if name not in _KEPT_APART},
        seed=arguments.get("seed"),
        threads=arguments.get("threads", 1),
        accelerator=_accelerator(),
        read=measurements(arguments["recipes"]) if arguments.get("recipes") else None,
    )


def running_code(*kinds: str) -> str:
    """The digest of the code of the running verb, with that of these modules."""
    return code_digest(verb_name(_RUNNING.get().function.__name__), *kinds)


def _added(own: inspect.Signature, *, computes: bool, by_hand: bool) -> list[inspect.Parameter]:
    """The options that a verb has beyond its own parameters."""
    added: dict[str, tuple[Any, Any]] = {"threads": (Threads, 1)} if computes else {}
    added |= {} if by_hand else {"recipe": (Recipe, ""), "record": (Record, None)}
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in added.items()
        if name not in own.parameters
    ]


def _use_threads(threads: int) -> None:
    """Lets each library that is loaded compute on so many threads."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
    if faiss := sys.modules.get("faiss"):
        faiss.omp_set_num_threads(threads)
    if cv2 := sys.modules.get("cv2"):
        cv2.setNumThreads(threads)


def _accelerator() -> str | None:
    """The GPU on which the verb computed; None where it used none."""
    torch = sys.modules.get("torch")
    return torch.cuda.get_device_name() if torch and torch.cuda.is_initialized() else None
