"""From a folder to answers by two commands, as a user gives them."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import own_pictures
from running import reranksmart

COMMAND = str(Path(sys.executable).parent / "reranksmart")


def require_served_until_interrupted(index: Path) -> None:
    """The page is where the command says, at a port that was free, and Ctrl+C ends it in peace."""
    command = [COMMAND, "serve", "--index", str(index), "--port", "0"]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        assert server.stdout
        assert server.stderr
        address = server.stdout.readline().split()[1]
        with urlopen(f"{address}api/about") as reply:
            assert json.load(reply)["pictures"] == 18
        taken = reranksmart("serve", "--index", index, "--port", urlsplit(address).port)
        server.send_signal(signal.SIGINT)
        assert (server.wait(), server.stderr.read()) == (0, "")
    assert taken.returncode == 1
    assert "of '127.0.0.1' is in use by another program" in taken.stderr
    assert taken.stdout == ""


def test_an_address_that_requests_cannot_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text('{"format": 2, "name": "mine", "max_tokens": 70, "max_regions": 12}')
    for host in ("0.0.0.0", "::1", "nowhere.invalid"):
        refused = reranksmart("serve", "--index", tmp_path, "--host", host, "--port", 0)
        assert refused.returncode == 1
        assert f"nothing can listen on '{host}'" in refused.stderr


def test_a_folder_is_made_searchable_searched_and_added_to(tmp_path: Path) -> None:
    pictures = own_pictures.draw_folder(tmp_path / "pictures")
    (pictures / "torn.png").write_bytes(b"\x89PNG torn")
    model, index = own_pictures.save_untrained(tmp_path / "model", seed=1), tmp_path / "index"
    made = reranksmart("gallery", "--images", pictures, "--model", model, "--output", index)
    assert made.returncode == 0, made.stderr
    assert "16 pictures used, 2 left out (1 no picture by its content (.jsonl); 1 broken pictures)" in made.stderr
    for wrong in (pictures, pictures / "red.png"):  # they would be deleted
        refused = reranksmart("gallery", "--images", pictures, "--model", model, "--output", wrong)
        assert refused.returncode == 1
        assert "exists and is no index" in refused.stderr
        assert (pictures / "red.png").is_file()
    new = [own_pictures.draw(tmp_path / "new" / f"{colour}.jpg", colour, "rectangle") for colour in ("pink", "cyan")]
    options = ("--index", index, "--k", 5, "--top", 3, "--json", "--gallery", *new)
    asked = reranksmart("search", "a pink rectangle", *options)
    assert asked.returncode == 0, asked.stderr
    assert "2 pictures added, 0 were there already; the index has 18 pictures" in asked.stderr
    found = json.loads(asked.stdout)
    assert (found["depth"], len(found["reranked"]), len(found["retrieved"])) == (5, 3, 3)
    assert set(found["times_ms"]) == {"encode query", "search", "score pairs"}
    assert all(Path(hit["picture"]).is_file() for hit in found["reranked"])
    require_served_until_interrupted(index)
    told = reranksmart("search", "--index", index, "--image", new[0])  # without captions it finds pictures like it
    first = told.stdout.splitlines()[1].split()
    assert (first[:1], first[-1]) == (["1"], str(new[0])), told.stderr
    assert told.stdout.endswith("; nothing re-ranked\n")
