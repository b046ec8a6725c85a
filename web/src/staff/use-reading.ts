import { readingHook } from "../shared/use-reading.ts";
import { live, onNews } from "./account.ts";

export const useReading = readingHook(live, onNews);
