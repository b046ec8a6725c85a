/** What everybody is told before dialling: charges, what this is not, and emergency numbers. */
import type { ProgramView } from "../shared/api/schema.ts";
import { inBoth } from "../shared/language.ts";
import { words } from "./words.ts";

export function BeforeCalling({ program }: { program: ProgramView }) {
  const say = words.value;
  const told = [
    [say.charges, inBoth(program.charge_notice)],
    [say.advice, inBoth(program.disclaimer)],
    [say.danger, say.dangerText],
  ] as const;
  return (
    <section class="before" aria-labelledby="before">
      <h2 id="before">{say.beforeTitle}</h2>
      <dl>
        {told.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
