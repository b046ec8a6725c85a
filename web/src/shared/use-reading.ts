/** Readings that live as long as the screen that shows them. */
import { useEffect, useMemo } from "preact/hooks";
import type { Live, LiveEvent } from "./live.ts";
import { Reading } from "./reading.ts";

/** Be told of events, and with null when everything may have changed; the answer ends it. */
type Listen = (heard: (event: LiveEvent | null) => void) => () => void;

/** The hook of one audience: it reads again at every event that `concerns` the screen. */
export function readingHook(live: Live, onNews: Listen) {
  return function useReading(
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
  };
}
