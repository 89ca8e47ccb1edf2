"""What the words of issue trackers mean: a status, a resolution or a section as todo, doing, done or dropped.

Trackers let people name their statuses, so a word that stands in no list has no category, and nothing is guessed. The names are
those that Jira, Linear, GitLab, GitHub and Asana begin with, and common ones of teams, in the languages Jira translates its own to.
"""

from __future__ import annotations

from typing import Final

#: Words that say that the work was given up. "Cannot Reproduce" is among them: nothing was delivered.
DROPPED: Final = (
    *("won't do", "won’t do", "wont do", "won't fix", "won’t fix", "wont fix", "wontfix", "will not do", "will not fix"),
    *("duplicate", "duplicated", "cancelled", "canceled", "cannot reproduce", "can't reproduce", "not reproducible"),
    *("not a bug", "not an issue", "invalid", "incomplete", "declined", "rejected", "obsolete", "abandoned", "timed out", "timeout"),
    *("known error", "out of scope", "not applicable", "not planned", "discarded", "dropped", "archived", "deferred indefinitely"),
    *("abgebrochen", "abgelehnt", "duplikat", "wird nicht erledigt", "wird nicht behoben", "annulé", "annulée", "doublon", "cancelado"),
)
_TODO: Final = (
    *("to do", "todo", "to-do", "open", "opened", "new", "backlog", "icebox", "triage", "needs triage", "unstarted", "planned", "ready"),
    *("reopened", "selected for development", "ready for development", "ready for dev", "next", "up next", "not started", "queued"),
    *("zu erledigen", "offen", "neu", "erneut geöffnet", "à faire", "ouvert", "por hacer", "tareas por hacer", "da fare", "te doen"),
    "a fazer",
)
_DOING: Final = (
    *("in progress", "doing", "started", "in development", "in review", "code review", "review", "in testing", "testing", "in test"),
    *("in qa", "qa", "blocked", "on hold", "waiting", "waiting for review", "ready for review", "ready for release", "ready to merge"),
    *("in arbeit", "in bearbeitung", "wird ausgeführt", "en cours", "en curso", "in corso", "in uitvoering", "em andamento"),
)
_DONE: Final = (
    *("done", "closed", "resolved", "completed", "complete", "fixed", "released", "shipped", "merged", "deployed", "live", "finished"),
    *("fertig", "erledigt", "geschlossen", "gelöst", "terminé", "terminé(e)", "terminée", "fermé", "résolu", "finalizado", "finalizada"),
    *("listo", "cerrado", "completato", "chiuso", "gereed", "gesloten", "concluído", "itens concluídos"),
)

#: Word in lower case -> category, dropped ones too.
CATEGORIES: Final[dict[str, str | None]] = {
    **dict.fromkeys(_TODO, "todo"),
    **dict.fromkeys(_DOING, "doing"),
    **dict.fromkeys(_DONE, "done"),
    **dict.fromkeys(DROPPED, "dropped"),
}
