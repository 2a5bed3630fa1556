// What the server sends: the models of src/poxlens/serve/clinic, field by field (tests/web/test_clinic_types.py compares them).

import type { Outcome } from "../../screen/decision";

export type Role = "administrator" | "clinician";
export type State = "new" | "second_opinion" | "awaiting_pcr" | "closed";
export type Verdict = "suspected" | "other_diagnosis" | "not_suspected" | "photo_unusable";
export type Diagnosis = "chickenpox" | "measles" | "hfmd" | "acne" | "other-rash" | "healthy";
export type Pcr = "positive" | "negative" | "inconclusive" | "not_done";

export const VERDICTS: readonly Verdict[] = ["suspected", "other_diagnosis", "not_suspected", "photo_unusable"];
export const DIAGNOSES: readonly Diagnosis[] = ["chickenpox", "measles", "hfmd", "acne", "other-rash", "healthy"];
export const PCRS: readonly Pcr[] = ["positive", "negative", "inconclusive", "not_done"];

export interface SessionOut {
  name: string;
  user_id: string;
  clinic: string;
  roles: Role[];
  csrf: string;
  unfinished: "password" | "totp" | null;
  blind: boolean;
  totp: boolean;
  ends_at: string;
  ends_at_latest: string;
}

export interface Ways {
  openid: string | null;
}

export interface TotpOut {
  secret: string;
  address: string;
}

export interface RecoveryOut {
  recovery_codes: string[];
}

export interface Item {
  id: string;
  state: State;
  waiting: boolean;
  revision: number;
  filed_at: string;
  urgency: string;
  due_at: string;
  overdue: boolean;
  dangers: string[];
  age: number | null;
  photos: number;
  seen: boolean;
  claimed_by_me: boolean;
  claimed: boolean;
  blind: boolean;
  outcome: Outcome | null;
  probability: number | null;
  verdict: Verdict | null;
  diagnosis: Diagnosis | null;
  verdict_at: string | null;
  pcr: Pcr | null;
  reply_read: boolean;
}

export interface WorklistPage {
  items: Item[];
  next: string | null;
}

export interface Counts {
  new: number;
  second_opinion: number;
  awaiting_pcr: number;
  closed: number;
}

export interface NoteOut {
  kind: string;
  by: string;
  at: string;
  verdict: Verdict | null;
  diagnosis: Diagnosis | null;
  text: string | null;
  blind: boolean;
}

export interface PhotoOut {
  number: number;
  available: boolean;
  outcome: Outcome | null;
  reasons: string[];
  probabilities: Record<string, number>;
  prediction_set: string[];
  novelty: number | null;
  tone: string | null;
  map_unstable: boolean | null;
}

export interface Detail extends Item {
  answers: Record<string, unknown>;
  screened_at: string;
  bundle: string;
  target: string;
  reasons: string[];
  deciding_photo: number | null;
  photo_results: PhotoOut[];
  photo_consent: boolean;
  training_consent: boolean;
  person: string | null;
  source: string;
  message: string | null;
  notes: NoteOut[];
}

export interface Explanation {
  outcome: Outcome;
  reasons: { code?: string; text?: string }[];
  probabilities: Record<string, number>;
  bundle: string;
  heatmap: string | null;
  heatmap_box: number[] | null;
  heatmap_warning: string | null;
}

export interface Colleague {
  id: string;
  name: string;
  on_duty: boolean;
}

export interface ReferralOut {
  id: string;
  code: string;
  filed_at: string;
  replayed: boolean;
}

export interface Ratio {
  value: number | null;
  low: number;
  high: number;
  n: number;
}

export interface Expected {
  value: number;
  low: number;
  high: number;
  n: number;
}

export interface FigureOut {
  name: string;
  text: string;
  group: string;
  found: Ratio;
  expected: Expected | null;
  warning: string | null;
}

export interface DayOut {
  day: string;
  filed: number;
  answered: number;
}

export interface TurnAroundOut {
  median_hours: number | null;
  ninetieth_hours: number | null;
  in_time: Ratio;
}

export interface MonitoringOut {
  start: string;
  end: string;
  bundle: string;
  referrals: number;
  outcomes: Record<string, number>;
  verdicts: Record<string, number>;
  pcr: Record<string, number>;
  days: DayOut[];
  turn_around: TurnAroundOut;
  agreement: Ratio;
  agreement_blind: Ratio;
  accuracy: FigureOut[];
  drift: FigureOut[];
  warnings: string[];
  caveats: string[];
}

export interface UserOut {
  id: string;
  name: string;
  roles: Role[];
  email: string | null;
  on_duty: boolean;
  escalation: boolean;
  openid: boolean;
  totp: boolean;
  closed: boolean;
  locked: boolean;
  created_at: string;
}

export interface FirstPassword {
  user: UserOut;
  password: string;
}

export interface DeviceOut {
  id: string;
  name: string;
  created_at: string;
  expires_at: string;
  revoked: boolean;
}

export interface NewDevice {
  device: DeviceOut;
  token: string;
}

export interface Policy {
  blind: boolean;
  require_totp: boolean;
  photo_days: number;
  referral_days: number;
  notify_at_once: boolean;
  digest_hours: number;
  escalate: boolean;
  webhook_url: string | null;
}

export interface AuditLine {
  number: number;
  at: string;
  actor: string;
  action: string;
  object: string;
  detail: Record<string, unknown>;
}

export interface AuditCheck {
  lines: number;
  head: string;
  fault: string | null;
}

export interface Erased {
  referrals: number;
  photos: number;
}
