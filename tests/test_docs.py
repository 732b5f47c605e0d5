"""The documentation says what the package does, because it is run."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))

import draw  # noqa: E402
import execute  # noqa: E402


@pytest.mark.parametrize("name", execute.DOCUMENTS)
def test_every_output_in_the_documentation_is_what_its_code_prints(name: str) -> None:
    document = (ROOT / name).read_text(encoding="utf-8")
    assert _steady(execute.executed(document)) == _steady(document), f"run: python docs/execute.py {name}"


def _steady(document: str) -> str:
    """Without the size of the last rounding, which is the machine's."""
    return re.sub(r"agrees within 1e-1[2-5]|\b(\de-1[4-7]|0e\+00)\b", "agrees", document)


def test_every_number_in_the_article_s_prose_stands_in_an_output() -> None:
    document = (ROOT / "docs/the-article.md").read_text(encoding="utf-8")
    printed = execute.outputs(document)
    numbers = re.findall(r"\d+\.\d+", execute.prose(document))
    assert numbers
    assert [number for number in numbers if number not in printed] == []


def test_a_stale_output_is_noticed() -> None:
    document = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n"
    assert execute.executed(document) == document.replace("3", "2")


@pytest.mark.parametrize("name", draw.PICTURES)
def test_every_picture_is_what_its_program_draws(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == draw.PICTURES[name]()


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_every_link_to_a_file_leads_to_one(path: Path) -> None:
    links = re.findall(r"(?:\]\(|src=\")(?!https?:|#)([^)#\"]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
