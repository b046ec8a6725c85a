/** What a counselor has on every page of the staff: their status, the ring, and the call that rings. */
import { useSignal } from "@preact/signals";
import { Fragment } from "preact";
import { useEffect } from "preact/hooks";
import { Button } from "../shared/components/button.tsx";
import { Dialog } from "../shared/components/dialog.tsx";
import { Icon } from "../shared/components/icons.tsx";
import { Note } from "../shared/components/showing.tsx";
import { path } from "../shared/router.ts";
import { SentAway } from "./away.tsx";
import "./counselor.css";
import { follow, me, talkOf } from "./me.ts";
import { Offer } from "./offer.tsx";
import { checking, Readiness } from "./readiness.tsx";
import { mayRing, openSound, openSoundAtFirstPress, ringWhileOpen } from "./ringing.ts";
import { words } from "./words.ts";

export { StatusPill } from "./status.tsx";

/** Stands above the page, whichever it is. */
export function Attention() {
  useEffect(() => {
    const leave = follow();
    const silence = ringWhileOpen();
    const opening = openSoundAtFirstPress();
    return () => {
      silence();
      opening();
      leave();
    };
  }, []);
  const offer = me.value?.offer;
  return (
    <>
      {offer && <Offer key={offer.offered_at} offer={offer} />}
      <SoundBar />
      <SentAway />
      <WayToTheCall />
      {checking.value && <Readiness />}
      <Shortcuts />
    </>
  );
}

/** Who takes calls has to hear them: after a reload the browser wants one more press. */
function SoundBar() {
  const say = words.value;
  const mine = me.value;
  const isNeeded = mine && !talkOf(mine) && (mine.presence === "available" || mine.offer);
  if (mayRing.value || !isNeeded || checking.value) return null;
  return (
    <div class="sound-bar" role="alert">
      <Icon name="sound" />
      <span>{say.soundOff}</span>
      <Button id="sound-on" look="danger" onPress={openSound}>
        {say.soundOn}
      </Button>
    </div>
  );
}

/** Notes, crisis and the end of a call are at the desk alone. */
function WayToTheCall() {
  const say = words.value;
  if (!me.value || !talkOf(me.value) || path.value === "/desk") return null;
  return (
    <Note tone="good" icon="phone">
      {say.onCall} · <a href="/desk">{say.toTheCall}</a>
    </Note>
  );
}

function Shortcuts() {
  const say = words.value;
  const open = useSignal(false);
  useEffect(() => {
    const byKey = (key: KeyboardEvent): void => {
      const at = document.activeElement;
      if (at instanceof HTMLElement && at.matches("input, textarea, select")) return;
      if (key.key === "?") open.value = true;
      if (key.altKey && key.key.toLowerCase() === "n") {
        key.preventDefault();
        document.getElementById("summary")?.focus();
      }
    };
    addEventListener("keydown", byKey);
    return () => removeEventListener("keydown", byKey);
  }, []);
  if (!open.value) return null;
  const keys = [
    ["Alt + Enter", say.keysText.accept],
    ["Alt + ⌫", say.keysText.decline],
    ["Esc", say.keysText.toDecline],
    ["Alt + N", say.keysText.notes],
    ["?", say.keysText.keys],
  ] as const;
  return (
    <Dialog title={say.keys} onClose={() => (open.value = false)}>
      <dl class="facts keys">
        {keys.map(([key, text]) => (
          <Fragment key={key}>
            <dt>{text}</dt>
            <dd>
              <kbd>{key}</kbd>
            </dd>
          </Fragment>
        ))}
      </dl>
    </Dialog>
  );
}
