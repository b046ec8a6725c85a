/** A supervisor ended the wrap-up: whoever was writing reads it, until they have seen it. */
import { signal } from "@preact/signals";
import { Button } from "../shared/components/button.tsx";
import { Note } from "../shared/components/showing.tsx";
import { clockTime } from "../shared/times.ts";
import { me } from "./me.ts";
import { words } from "./words.ts";

const seen = signal<string | null>(null);

export function WrapUpEnded() {
  const say = words.value;
  const at = me.value?.wrap_up_ended_at;
  if (!at || at === seen.value) return null;
  return (
    <div class="wrap-up-ended">
      <Note tone="warm" icon="alert" title={say.wrapEnded(clockTime(at))} urgent>
        <p>{say.wrapEndedText}</p>
        <Button id="wrap-up-ended-seen" onPress={() => (seen.value = at)}>
          {say.wrapEndedSeen}
        </Button>
      </Note>
    </div>
  );
}
