/** A reading that lives as long as the screen that shows it. */
import { useEffect, useMemo } from "preact/hooks";
import type { LiveEvent } from "../shared/live.ts";
import { Reading } from "../shared/reading.ts";
import { live, onNews } from "./account.ts";

export function useReading(
  read: () => Promise<void>,
  on: readonly unknown[],
  concerns: (event: LiveEvent) => boolean = () => true,
): Reading {
  const reading = useMemo(() => new Reading(read, live), on);
  useEffect(() => {
    reading.start();
    const quiet = onNews((event) => {
      if (event === null || concerns(event)) void reading.now();
    });
    return () => {
      quiet();
      reading.stop();
    };
  }, [reading]);
  return reading;
}
