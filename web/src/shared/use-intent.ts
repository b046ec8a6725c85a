/**
 * One intent of a person: pressing again because nothing was heard is still the same act. A service
 * that has its hands full says how soon to ask again; then it is asked again, for whoever pressed
 * has done their part.
 */
import { useMemo } from "preact/hooks";
import { newIntent, Refusal } from "./api/client.ts";

const PATIENCE_MILLISECONDS = 30_000;

export interface Intent {
  /** What is wanted has changed: from now on it is another act. */
  readonly renew: () => void;
  /** Do it under its name. An answer ends the intent; silence does not. */
  readonly carryOut: <T>(act: (intent: string) => Promise<T>) => Promise<T>;
}

export function useIntent(): Intent {
  return useMemo(() => {
    let name = newIntent();
    const renew = (): void => void (name = newIntent());
    return {
      renew,
      carryOut: async (act) => {
        try {
          const done = await patiently(() => act(name));
          renew();
          return done;
        } catch (refused) {
          const wasHeard = !(refused instanceof Refusal) || refused.code !== "offline";
          if (wasHeard) renew();
          throw refused;
        }
      },
    };
  }, []);
}

async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    try {
      return await ask();
    } catch (refused) {
      const wait = millisecondsToWait(refused);
      if (wait === null || performance.now() + wait > until) throw refused;
      await new Promise((goOn) => setTimeout(goOn, wait));
    }
  }
}

/** Null for whatever waiting would not change. */
function millisecondsToWait(refused: unknown): number | null {
  if (!(refused instanceof Refusal) || refused.code !== "unavailable") return null;
  return refused.retryAfterSeconds === null ? null : refused.retryAfterSeconds * 1000;
}
