/** Asking the service: one typed door for every operation of the published API. */
import { hearTime } from "../clock.ts";
import type { InputFault, Operations, Problem, ProblemCode } from "./schema.ts";

export type { InputFault, Operations, ProblemCode };

/** Why something was refused; `offline` when the service was not reached at all. */
export type RefusalCode = ProblemCode | "offline";

export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly status: number;
  readonly detail: string;
  readonly retryAfterSeconds: number | null;
  readonly incident: string | null;
  /** What is wrong with what was sent. */
  readonly faults: readonly InputFault[];

  constructor(
    code: RefusalCode,
    told: {
      status?: number;
      detail?: string;
      retryAfterSeconds?: number | null;
      incident?: string;
      faults?: readonly InputFault[];
    },
  ) {
    super(code);
    this.code = code;
    this.status = told.status ?? 0;
    this.detail = told.detail ?? "";
    this.retryAfterSeconds = told.retryAfterSeconds ?? null;
    this.incident = told.incident ?? null;
    this.faults = told.faults ?? [];
  }
}

type Given<T, Name extends string> = T extends undefined
  ? { readonly [name in Name]?: undefined }
  : undefined extends T
    ? { readonly [name in Name]?: T }
    : { readonly [name in Name]: T };
type Optional<T, Name extends string> = T extends undefined
  ? { readonly [name in Name]?: undefined }
  : { readonly [name in Name]?: T };

/** What an operation takes; `intent` makes a repeated POST the same act (Idempotency-Key). */
export type Asked<Name extends keyof Operations> = Given<Operations[Name]["path"], "path"> &
  Given<Operations[Name]["body"], "body"> &
  Optional<Operations[Name]["query"], "query"> & { readonly intent?: string };

type Arguments<Name extends keyof Operations> =
  Record<never, never> extends Asked<Name> ? [asked?: Asked<Name>] : [asked: Asked<Name>];

/** A browser may hold a cookie of each: somebody of the staff also calls. */
export type Whose = "staff" | "device";

/** How this page proves who asks: a cookie that no script can read. */
export interface Credentials {
  readonly cookie: Whose;
  /** Called when the service no longer knows us. */
  readonly lost: () => void;
}

export interface Api {
  <Name extends keyof Operations>(
    name: Name,
    ...asked: Arguments<Name>
  ): Promise<Operations[Name]["ok"]>;
  /** An operation that takes a file in place of JSON. */
  readonly upload: <Name extends keyof Operations>(
    name: Name,
    file: Blob,
    contentType: string,
    query: Operations[Name]["query"],
  ) => Promise<Operations[Name]["ok"]>;
}

/** A new name for one intent: pressing a button again is the same intent until it is answered. */
export function newIntent(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const drawn = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(drawn, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const TIMEOUT_MILLISECONDS = 15_000;

export function makeApi(credentials: Credentials): Api {
  async function send(
    method: string,
    path: string,
    body: unknown,
    intent: string | undefined,
  ): Promise<unknown> {
    const headers: Record<string, string> = {
      Accept: "application/json",
      "Warmline-Cookie": credentials.cookie,
    };
    if (body !== undefined)
      headers["Content-Type"] = body instanceof Blob ? body.type : "application/json";
    if (method === "POST") headers["Idempotency-Key"] = intent ?? newIntent();
    const answer = await reached(path, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
    });
    if (answer.ok) return answer.status === 204 ? undefined : await readJson(answer);
    const refusal = await refusalOf(answer);
    if (refusal.code === "unauthenticated") credentials.lost();
    throw refusal;
  }

  const api = (name: string, asked?: Record<string, unknown>): Promise<unknown> => {
    const [method, template] = name.split(" ") as [string, string];
    return send(
      method,
      addressOf(template, asked?.["path"], asked?.["query"]),
      asked?.["body"],
      asked?.["intent"] as string | undefined,
    );
  };
  return Object.assign(api, {
    upload: (name: string, file: Blob, contentType: string, query: unknown) => {
      const [method, template] = name.split(" ") as [string, string];
      const typed = new Blob([file], { type: contentType });
      return send(method, addressOf(template, undefined, query), typed, undefined);
    },
  }) as unknown as Api;
}

export function addressOf(template: string, path: unknown, query: unknown): string {
  const ids = (path ?? {}) as Record<string, string>;
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(ids[name] ?? ""),
  );
  const asked = Object.entries((query ?? {}) as Record<string, unknown>)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return asked.length ? `${filled}?${asked.join("&")}` : filled;
}

async function reached(path: string, request: RequestInit): Promise<Response> {
  const waiting = new AbortController();
  const tooLong = setTimeout(() => waiting.abort(), TIMEOUT_MILLISECONDS);
  const asked = performance.now();
  try {
    const answer = await fetch(path, { ...request, signal: waiting.signal });
    hearTime(answer.headers.get("Warmline-Now"), performance.now() - asked);
    return answer;
  } catch {
    throw new Refusal("offline", {});
  } finally {
    clearTimeout(tooLong);
  }
}

async function readJson(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch {
    throw new Refusal("offline", { status: answer.status });
  }
}

async function refusalOf(answer: Response): Promise<Refusal> {
  const told = (await answer.json().catch(() => ({}))) as Partial<Problem>;
  const retry = Number(answer.headers.get("Retry-After"));
  return new Refusal(told.code ?? (answer.status >= 500 ? "unavailable" : "bad_input"), {
    status: answer.status,
    detail: told.detail ?? "",
    retryAfterSeconds: Number.isFinite(retry) && retry > 0 ? retry : null,
    ...(told.incident == null ? {} : { incident: told.incident }),
    faults: told.errors ?? [],
  });
}
