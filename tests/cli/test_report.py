"""`shoal report`: what is on the page, what it loads, and what it says about a damaged run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from tests.cli.conftest import WITHOUT, environment

VOID = {"meta", "br", "hr", "img", "link", "input"}
LOADING = {"src", "href", "xlink:href", "srcset", "data", "action", "poster", "background"}
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)


class Page(HTMLParser):
    """Collects what a page refers to and checks that its elements are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.links += [value for name, value in attrs if name in LOADING]
        self.links += [m for _, value in attrs for m in re.findall(r"url\(([^)]*)\)", value or "")]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def copy(finished, tmp_path):
    folder, _ = finished
    return shutil.copytree(folder / "runs" / "small", tmp_path / "small")


@pytest.fixture(scope="module")
def written(shoal, finished, tmp_path_factory):
    folder, _ = finished
    path = tmp_path_factory.mktemp("report") / "page.html"
    done = shoal("report", folder / "runs" / "small", "--output", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{path}\n"
    assert done.stderr == ""
    return path


def test_the_page_is_whole_and_loads_nothing(written):
    text = written.read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert set(page.seen).isdisjoint({"script", "link", "iframe", "object", "embed", "img", "base"})
    assert page.links
    assert all(link.strip("'\"").startswith("#") for link in page.links)
    assert {link.strip("'\"")[1:] for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "@import" not in text
    # Namespaces are names: nothing is fetched from them.
    assert set(re.findall(r"\w+://[^\"'<\s]*", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_the_page_shows_what_the_run_did(written, finished):
    folder, _ = finished
    page = Page(written.read_text(encoding="utf-8"))
    assert page.seen.count("svg") == 4
    for words in (
        "meta-learnt", "from scratch", "no adaptation", "intervals over 2 seeds", "training loss",
        "Of seed 0. Loss", "200 visits, 0 failed",
        "sent so far (kB)", "Arduino Nano 33 BLE Sense", "Configuration",
        "TinyReptile on Sine tasks, 200 rounds, seed 0, 1", "light dark", "Environment",
    ):  # fmt: skip
        assert words in page.text
    kept = json.loads((folder / "runs/small/seed-0/run.json").read_text())
    assert kept["environment"]["platform"] in page.text
    assert "Not everything is here" not in page.text


def test_the_ram_is_what_the_runtime_says(written, finished):
    from shoal.learn.footprint import footprint
    from shoal.nn import load

    folder, _ = finished
    network = load(folder / "runs/small/seed-0/model.shoal")
    text = Page(written.read_text(encoding="utf-8")).text
    assert f"learning: {footprint(network.plan('sgd'), 'cortex-m4f').ram:,} B" in text
    assert f"answering: {footprint(network.plan(None), 'cortex-m4f').ram:,} B" in text


def test_equal_runs_give_equal_pages(shoal, finished, written):
    folder, _ = finished
    again = written.with_name("again.html")
    shoal("report", folder / "runs" / "small", "--output", again)
    assert again.read_bytes() == written.read_bytes()


def test_an_unfinished_run_says_what_is_missing(shoal, copy):
    run = copy / "seed-0"
    (run / "adaptation.json").unlink()
    (run / "model.shoal").unlink()
    metrics = (run / "metrics.jsonl").read_bytes()
    (run / "metrics.jsonl").write_bytes(metrics[: len(metrics) // 2 + 3])
    done = shoal("report", run)
    assert done.returncode == 0
    assert done.stdout == f"{run / 'report.html'}\n"
    for words in ("rounds: the run is not finished", "adaptation.json", "last line is cut off"):
        assert words in done.stderr
        assert words in Page((run / "report.html").read_text(encoding="utf-8")).text


def test_a_run_that_has_only_begun_still_has_a_page(shoal, copy):
    run = copy / "seed-1"
    for file in run.iterdir():
        if file.name != "run.json":
            file.unlink()
    done = shoal("report", run)
    assert done.returncode == 0
    assert "nothing is known of the rounds" in done.stderr
    assert "Arduino Nano 33 BLE Sense" in (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content", "what", "where"),
    [
        ("run.json", b"{", "not the description of a run", "run.json"),
        ("run.json", b'{"config": 3}', "not the description of a run", "run.json"),
        ("run.json", b"\xff\xfe", "not the description of a run", "run.json"),
        ("metrics.jsonl", b'{"round": 1}\n', "a damaged line", "metrics.jsonl:1"),
        ("metrics.jsonl", b"\x00\n\n", "a damaged line", "metrics.jsonl:1"),
        ("adaptation.json", b"[]", "the evaluation is damaged", "adaptation.json"),
        ("adaptation.json", b"{}", "the evaluation is damaged", "adaptation.json"),
    ],
)
def test_a_damaged_run_is_refused(shoal, copy, name, content, what, where):
    (copy / "seed-0" / name).write_bytes(content)
    done = shoal("report", copy / "seed-0")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"error: {what}"
    assert done.stderr.splitlines()[1].endswith(where)
    assert not (copy / "seed-0" / "report.html").exists()


def test_text_from_a_run_is_not_markup(shoal, copy):
    run = copy / "seed-0"
    kept = json.loads((run / "run.json").read_text())
    kept["environment"]["platform"] = "<script>alert(1)</script>"
    kept["config"]["algorithm"]["type"] = "<b onload=x>"
    (run / "run.json").write_text(json.dumps(kept))
    assert shoal("report", run).returncode == 0
    text = (run / "report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<b onload" not in text
    # An algorithm of the user's own: what its devices run is not known.
    assert "Not known" in Page(text).text


def test_without_matplotlib_it_names_the_extra(finished):
    folder, _ = finished
    command = [sys.executable, "-c", WITHOUT.format("matplotlib"), "report", str(folder / "runs" / "small")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 1
    assert "error: matplotlib is not installed" in done.stderr
    assert "  try    pip install 'shoal[plot]'" in done.stderr


def test_a_page_that_cannot_be_written_is_an_error(shoal, finished, tmp_path):
    folder, _ = finished
    done = shoal("report", folder / "runs" / "small", "--output", tmp_path / "no" / "page.html")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_shows_the_page(written, tmp_path):
    picture = tmp_path / "page.png"
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command = [CHROMIUM, *options, "--window-size=390,2400", f"--screenshot={picture}", written.as_uri()]
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    image = pytest.importorskip("matplotlib.image").imread(picture)
    assert image.shape[:2] == (2400, 390)
    # The curves' colour is there: the plots were drawn, in the light theme.
    wanted = [int("0a7d83"[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    assert (abs(image[..., :3] - wanted).max(axis=2) < 0.02).sum() > 500
