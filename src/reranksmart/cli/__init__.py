"""`reranksmart <verb>`: one verb per rule; a verb reads inputs, calls one function, saves one output."""

import difflib
import gc
import importlib
import json
import re
import sys
import textwrap

from reranksmart import __version__
from reranksmart.cli.parent import end_with_parent
from reranksmart.cli.terminal import printable
from reranksmart.files.code.verbs import verbs

_USAGE = """\
Usage: reranksmart VERB [OPTIONS]. Each verb explains itself: reranksmart VERB --help

For your own searches and runs:
{by_hand}

What the workflow's rules call:
{by_rules}"""


def main() -> None:
    """Runs one verb. What is wrong with an input ends as one message on stderr and exit status 1."""
    end_with_parent()
    verb = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if verb in ("--help", "-h"):
        print(_usage())
        return
    if verb == "--version":
        print(f"reranksmart {__version__}")
        return
    if verb not in verbs():
        print(f"reranksmart: there is no verb {verb!r}.{_nearest(verb)}\n\n{_usage()}", file=sys.stderr)
        raise SystemExit(2)
    try:
        if verb == "search":
            _require_no_dashed_text(sys.argv[2:])
        load(verb)
        _run()
    except (ValueError, KeyError, OSError, FloatingPointError) as error:
        print(printable(f"reranksmart {verb}: {_message(error)}"), file=sys.stderr)
        raise SystemExit(1) from error
    except KeyboardInterrupt:  # while the verb is loaded; later typer sees it first
        raise SystemExit(130) from None


def load(*names: str) -> None:
    """Imports the modules of these verbs, which makes them commands of ``cli.verb.app``.

    What is imported stays, so that it is no garbage to look for: neither meanwhile (a sixth of what torch and
    transformers take) nor later.
    """
    gc.disable()
    for module in sorted({verbs()[name].module for name in names}):
        importlib.import_module(module)
    gc.freeze()
    gc.enable()


def _run() -> None:
    from reranksmart.cli.verb import app  # typer takes a while to import

    app(prog_name="reranksmart")


def _usage() -> str:
    known = verbs()
    by_hand = {name: verb.summary for name, verb in sorted(known.items()) if verb.by_hand}
    widest = max(map(len, by_hand))
    lines = [f"  {name:{widest}}  {summary.removesuffix('.')}" for name, summary in by_hand.items()]
    others = textwrap.wrap(", ".join(name for name in known if name not in by_hand), width=78, break_on_hyphens=False)
    return _USAGE.format(by_hand="\n".join(lines), by_rules=textwrap.indent("\n".join(others), "  "))


def _require_no_dashed_text(words: list[str]) -> None:
    options = words[: words.index("--")] if "--" in words else words
    if dashed := next((word for word in options if re.match(r"-(\d|-?\w* )", word)), None):
        raise ValueError(
            f"{dashed!r} begins with a dash, as an option does. Give a text that does so last, behind two dashes: "
            f'reranksmart search --index FOLDER -- "{dashed}"'
        )


def _nearest(verb: str) -> str:
    near = difflib.get_close_matches(verb, verbs(), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _message(error: Exception) -> object:
    if isinstance(error, KeyError):
        said = str(error.args[0])
        lacking = f"there is no {said!r} in the settings or files given. Give it, or name one that is there."
        return said if " " in said else lacking  # of our own errors a sentence, of a dict the key
    if isinstance(error, json.JSONDecodeError):
        return f"{error.doc[:80]!r} is no JSON ({error}). Settings are given as JSON, in single quotes; mend them."
    if isinstance(error, OSError) and error.filename is not None:
        path = error.filename2 or error.filename  # what a temporary file is renamed to
        return f"{path}: {error.strerror}. A path that exists and can be used so is needed; name another."
    return error
