/** A break that the service decided: it says so on every page, and for which offers. */
import { Note } from "../shared/components/showing.tsx";
import { clockTime } from "../shared/times.ts";
import { me, programName } from "./me.ts";
import { words } from "./words.ts";

export function SentAway() {
  const say = words.value;
  const away = me.value?.sent_away;
  if (!away) return null;
  const declined = away.offers.every((one) => one.why === "declined");
  return (
    <div class="sent-away">
      <Note tone="warm" icon="alert" title={say.awaySince(clockTime(away.since))} urgent>
        {declined ? say.awayDeclined : say.awayMissed}
        <ul>
          {away.offers.map((one) => (
            <li key={one.at}>
              {clockTime(one.at)} · {programName(one.program)} · {say.untaken[one.why]}
            </li>
          ))}
        </ul>
      </Note>
    </div>
  );
}
