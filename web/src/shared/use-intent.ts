/** One intent of a person: pressing again because nothing was heard is still the same act. */
import { useMemo } from "preact/hooks";
import { newIntent, Refusal } from "./api/client.ts";

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
          const done = await act(name);
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
