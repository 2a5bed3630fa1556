"""What the worklist's pages get and send."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from poxlens.screen.decision import Outcome
from poxlens.serve.clinic.referrals.states import Diagnosis, Pcr, State, Verdict
from poxlens.serve.clinic.words import HexId, Prose


class Given(BaseModel):
    """A body that a client sends: no field may be added."""

    model_config = ConfigDict(extra="forbid")


class Item(BaseModel):
    """One line of the worklist."""

    id: str
    state: State
    waiting: bool
    revision: int
    filed_at: str
    urgency: str = Field(description="urgent, soon or routine; hidden in blind mode")
    due_at: str = Field(
        description="When it should have been looked at; in blind mode the same for every outcome."
    )
    overdue: bool
    dangers: list[str] = Field(
        description="What makes mpox more dangerous here: pregnant, weak_immunity, risk_group, small_child, eyes"
    )
    age: float | None
    photos: int
    seen: bool
    claimed_by_me: bool
    claimed: bool = Field(description="A colleague is at work on it.")
    blind: bool = Field(description="The model's opinion is hidden until you have noted yours.")
    outcome: Outcome | None = Field(description="What the model said; null while hidden.")
    probability: float | None = Field(description="Of the target class, 0 to 1; null while hidden.")
    verdict: Verdict | None
    diagnosis: Diagnosis | None
    verdict_at: str | None
    pcr: Pcr | None
    reply_read: bool = Field(description="The patient has read the reply.")


class WorklistPage(BaseModel):
    """Some lines, the most urgent first."""

    items: list[Item]
    next: str | None = Field(description="Give it as `after` for the following lines; null at the end.")


class Counts(BaseModel):
    """How many referrals stand where."""

    new: int
    second_opinion: int
    awaiting_pcr: int
    closed: int


class NoteOut(BaseModel):
    """What a clinician noted."""

    kind: str = Field(description="opinion, verdict or question")
    by: str
    at: str
    verdict: Verdict | None
    diagnosis: Diagnosis | None
    text: str | None
    blind: bool = Field(description="Noted before the model's opinion could be seen.")


class PhotoOut(BaseModel):
    """What the phone's model said of one photo; null and empty while hidden."""

    number: int
    available: bool = Field(description="Whether the photo is here: it was sent, and not deleted since.")
    outcome: Outcome | None
    reasons: list[str]
    probabilities: dict[str, float]
    prediction_set: list[str]
    novelty: float | None
    tone: str | None
    map_unstable: bool | None


class Detail(Item):
    """A referral in full."""

    answers: dict[str, Any] = Field(description="By linkId (docs/fhir.md); what is absent was not answered.")
    screened_at: str
    bundle: str
    target: str
    reasons: list[str] = Field(description="Why the model said so; empty while hidden.")
    deciding_photo: int | None
    photo_results: list[PhotoOut]
    photo_consent: bool
    training_consent: bool
    person: str | None
    source: str
    message: str | None = Field(description="What the patient is told beside the verdict.")
    notes: list[NoteOut]


class OpinionIn(Given):
    """What a clinician thinks, before the verdict."""

    verdict: Verdict
    diagnosis: Diagnosis | None = Field(default=None, description="With other_diagnosis, and only then.")
    note: Prose | None = Field(default=None, description="For colleagues; kept encrypted.")


class VerdictIn(OpinionIn):
    """The clinic's answer."""

    revision: int = Field(ge=1, le=1_000_000, description="Of the referral as you saw it.")
    message: Prose | None = Field(default=None, description="For the patient; kept encrypted.")


class SecondOpinionIn(Given):
    """A question to a colleague."""

    revision: int = Field(ge=1, le=1_000_000)
    note: Prose | None = None
    colleague: HexId | None = Field(default=None, description="Whom to ask; null: whoever is on duty.")


class PcrIn(Given):
    """What the laboratory found."""

    revision: int = Field(ge=1, le=1_000_000)
    result: Pcr


class ClaimIn(Given):
    """Whether one is at work on it."""

    claim: bool = Field(description="False gives it back.")


class Explanation(BaseModel):
    """What this server's model says of a photo, and what in it the answer rests on."""

    outcome: Outcome
    reasons: list[dict[str, Any]]
    probabilities: dict[str, float]
    bundle: str
    heatmap: str | None = Field(description="PNG data URL with transparency; null where there is none.")
    heatmap_box: list[float] | None = Field(
        description="The part of the photo under the map: left, top, width, height as shares."
    )
    heatmap_warning: str | None = Field(description="To be read beside a map that failed its own check.")


class Colleague(BaseModel):
    """Who can be asked."""

    id: str
    name: str
    on_duty: bool
