from __future__ import annotations

from klyx.database import Database
from klyx.services import refusals
from klyx.services.refusals import Refusal
from tests.workspaces import new_workspace


def test_the_text_is_bounded() -> None:
    many = [Refusal(f"{number}.csv", "It is empty.") for number in range(8)]
    assert refusals.describe([]) == ""
    assert refusals.describe(many[:1]) == "1 file was not accepted. 0.csv: It is empty."
    text = refusals.describe(many)
    assert text.startswith("8 files were not accepted. 0.csv: It is empty. 1.csv:")
    assert text.endswith("4.csv: It is empty. And 3 more.")


def test_the_newest_are_kept(database: Database) -> None:
    workspace_id = new_workspace(database)
    for number in range(5):
        with database.begin() as session:
            refusals.remember(session, workspace_id, [Refusal(f"{number}.csv", "Empty.")], [], most=3)
    with database.read() as session:
        assert [refusal.file for refusal in refusals.of_workspace(session, workspace_id)] == ["2.csv", "3.csv", "4.csv"]


def test_what_was_refused_again_with_another_reason_is_still_to_be_told(database: Database) -> None:
    workspace_id = new_workspace(database)
    with database.begin() as session:
        refusals.remember(session, workspace_id, [Refusal("a.csv", "Empty."), Refusal("b.csv", "Empty.")], [], most=9)
        told = refusals.of_workspace(session, workspace_id)
        refusals.remember(session, workspace_id, [Refusal("a.csv", "Damaged.")], [], most=9)
        refusals.forget(session, workspace_id, told)
        assert refusals.of_workspace(session, workspace_id) == [Refusal("a.csv", "Damaged.")]
