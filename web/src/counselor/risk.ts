/** What four answers say together. A counselor's ear comes first: this only points. */
import type { Risk, RiskAnswer } from "../shared/api/wanted.ts";

export const QUESTIONS = ["thoughts", "plan", "means", "alone"] as const;
export type Question = (typeof QUESTIONS)[number];
export type Answers = Partial<Record<Question, RiskAnswer>>;

/** A plan or means with the thought of it is acute; the thought alone is raised. */
export function levelOf({ thoughts, plan, means, alone }: Answers): Risk["level"] {
  if (plan === "yes" || (thoughts === "yes" && means === "yes")) return "acute";
  if (thoughts === "yes") return "raised";
  return means === "yes" || alone === "yes" || thoughts === "unsaid" ? "low" : "none";
}

export function riskOf(answers: Answers): Risk {
  const given = (question: Question): RiskAnswer => answers[question] ?? "unsaid";
  return {
    thoughts: given("thoughts"),
    plan: given("plan"),
    means: given("means"),
    alone: given("alone"),
    level: levelOf(answers),
  };
}
