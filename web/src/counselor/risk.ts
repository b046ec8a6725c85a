/** What four answers say together. A counselor's ear comes first: this only points. */
import type { Risk, RiskLevel, Said } from "../shared/api/schema.ts";

export const QUESTIONS = ["thoughts", "plan", "means", "alone"] as const;
export type Question = (typeof QUESTIONS)[number];
export type Answers = Partial<Record<Question, Said>>;

/** A plan or means with the thought of it is acute; the thought alone is raised. */
export function levelOf({ thoughts, plan, means, alone }: Answers): RiskLevel {
  if (plan === "yes" || (thoughts === "yes" && means === "yes")) return "acute";
  if (thoughts === "yes") return "raised";
  return means === "yes" || alone === "yes" || thoughts === "unsaid" ? "low" : "none";
}

export function riskOf(answers: Answers): Risk {
  const given = (question: Question): Said => answers[question] ?? "unsaid";
  return {
    thoughts: given("thoughts"),
    plan: given("plan"),
    means: given("means"),
    alone: given("alone"),
    level: levelOf(answers),
  };
}
