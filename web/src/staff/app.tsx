/** The frame of every console: who is signed in, where they may go, and the page of the place. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ComponentType } from "preact";
import { Announcer } from "../shared/components/announcing.tsx";
import { Button } from "../shared/components/button.tsx";
import { Dialog } from "../shared/components/dialog.tsx";
import {
  Brand,
  LanguageSwitch,
  Loading,
  SkipLink,
  Title,
  Unread,
} from "../shared/components/showing.tsx";
import { Refusal } from "../shared/api/client.ts";
import { inWords } from "../shared/refusals.ts";
import { path } from "../shared/router.ts";
import { askWho, has, signOut, who } from "./account.ts";
import {
  ADMITS,
  loadEverywhere,
  LOADS,
  PLACES,
  placeOf,
  type Everywhere,
  type Place,
} from "./places.ts";
import { SecondFactor } from "./second-factor.tsx";
import { SignIn } from "./sign-in.tsx";
import { words } from "./words.ts";

export function App() {
  const fault = useSignal<string | null>(null);
  const ask = async (): Promise<void> => {
    try {
      await askWho();
      fault.value = null;
    } catch (refused) {
      fault.value = inWords(refused);
    }
  };
  useEffect(() => void ask(), []);
  return (
    <>
      <Title text={words.value.title} />
      <SkipLink />
      <Announcer />
      {fault.value !== null && who.value === undefined ? (
        <main id="main" class="narrow">
          <Unread text={fault.value} again={ask} />
        </main>
      ) : who.value === undefined ? (
        <main id="main" class="narrow">
          <Loading />
        </main>
      ) : who.value === null ? (
        <SignIn onSignedIn={ask} />
      ) : (
        <Inside place={placeOf(path.value)} />
      )}
    </>
  );
}

function Inside({ place }: { place: Place }) {
  const mine = PLACES.filter((one) => has(...ADMITS[one]));
  const counselors = useEverywhere();
  return (
    <>
      <header class="bar-top">
        <Brand href={`/${place}`} />
        {mine.length > 1 && (
          <nav aria-label={words.value.places}>
            {mine.map((one) => (
              <a key={one} href={`/${one}`} aria-current={one === place ? "page" : undefined}>
                {words.value.place[one]}
              </a>
            ))}
          </nav>
        )}
        <div class="bar-end">
          {counselors && <counselors.StatusPill />}
          <LanguageSwitch />
          <SignOut />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {counselors && <counselors.Attention />}
        {who.value?.second_factor === "due" ? (
          <SecondFactor />
        ) : mine.includes(place) ? (
          <Loaded key={place} place={place} />
        ) : (
          <NotYours />
        )}
      </main>
    </>
  );
}

const AGAIN_MILLISECONDS = 3_000;

/** What counselors have on every page; for nobody else is it even loaded. */
function useEverywhere(): Everywhere | null {
  const loaded = useSignal<Everywhere | null>(null);
  const isOne = has("counselor") && who.value?.second_factor !== "due";
  useEffect(() => {
    if (!isOne) return;
    let again: ReturnType<typeof setTimeout> | undefined;
    const load = (): void =>
      void loadEverywhere()
        .then((found) => (loaded.value = found))
        .catch(() => (again = setTimeout(load, AGAIN_MILLISECONDS)));
    load();
    return () => clearTimeout(again);
  }, [isOne]);
  return isOne ? loaded.value : null;
}

function Loaded({ place }: { place: Place }) {
  const pages = useSignal<ComponentType | null>(null);
  const failed = useSignal(false);
  const load = async (): Promise<void> => {
    try {
      failed.value = false;
      const loaded = await LOADS[place]();
      pages.value = loaded.Pages;
    } catch {
      failed.value = true; // a newer version was installed meanwhile, or the network is away
    }
  };
  useEffect(() => void load(), [place]);
  if (failed.value)
    return <Unread text={inWords(new Refusal("offline", {}))} again={() => location.reload()} />;
  const Pages = pages.value;
  return Pages ? <Pages /> : <Loading />;
}

function NotYours() {
  return <p class="card">{words.value.notYours}</p>;
}

function SignOut() {
  const say = words.value;
  const asking = useSignal(false);
  return (
    <>
      <Button look="quiet" id="sign-out" onPress={() => void (asking.value = true)}>
        {say.signOut}
      </Button>
      {asking.value && (
        <Dialog alert title={say.signOutTitle} onClose={() => (asking.value = false)}>
          <p>{has("counselor") ? say.signOutText : who.value?.email}</p>
          <div class="actions">
            <Button onPress={() => void (asking.value = false)}>{say.stay}</Button>
            <Button id="sign-out-yes" look="danger" onPress={signOut}>
              {say.signOut}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
