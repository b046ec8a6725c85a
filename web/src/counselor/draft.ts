/**
 * The notes of one call while they are written: saved on the service as they are typed, kept in
 * this window while it cannot be reached, and never overwritten by an older copy.
 */
import { computed, signal } from "@preact/signals";
import { Refusal } from "../shared/api/client.ts";
import type { DraftView, Risk, TypedOver } from "../shared/api/schema.ts";
import { serverNow } from "../shared/clock.ts";
import { api } from "../staff/account.ts";

export type SaveState = "saved" | "saving" | "unsaved" | "kept_here" | "conflict";

const PAUSE_MILLISECONDS = 700;
const AGAIN_MILLISECONDS = 4_000;

type Fields = Required<Omit<TypedOver, "version">>;
const BLANK: Fields = { summary: "", topics: [], disposition: null, cut_off: null, risk: null };

const keyOf = (call: string): string => `warmline.notes.${call}`;

export class Draft {
  readonly call: string;
  readonly summary = signal("");
  readonly topics = signal<readonly string[]>([]);
  readonly disposition = signal<string | null>(null);
  readonly cutOff = signal<boolean | null>(null);
  readonly risk = signal<Risk | null>(null);
  readonly savedAt = signal<string | null>(null);
  readonly state = signal<SaveState>("saved");
  /** The other copy, when two windows wrote at once. */
  readonly theirs = signal<DraftView | null>(null);
  readonly isUnsaved = computed(() => this.state.value !== "saved");
  private version = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private saving: Promise<void> | null = null;
  private dirty = false;
  private closed = false;

  constructor(call: string) {
    this.call = call;
    addEventListener("pagehide", this.leave);
    document.addEventListener("visibilitychange", this.look);
    void this.load();
  }

  close(): void {
    this.closed = true;
    removeEventListener("pagehide", this.leave);
    document.removeEventListener("visibilitychange", this.look);
    void this.save();
  }

  /** Something was typed: save it a moment after the last key. */
  readonly changed = (): void => {
    this.dirty = true;
    if (this.state.peek() === "conflict") return;
    this.state.value = "unsaved";
    this.keepHere();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.save(), PAUSE_MILLISECONDS);
  };

  /** Save now; resolves when the service has it, or cannot be reached. */
  save(): Promise<void> {
    clearTimeout(this.timer);
    this.saving ??= this.saveAll().finally(() => (this.saving = null));
    return this.saving;
  }

  takeTheirs(): void {
    const found = this.theirs.peek();
    if (found) this.show(found);
  }

  keepMine(): void {
    this.version = this.theirs.peek()?.version ?? this.version;
    this.theirs.value = null;
    this.state.value = "unsaved";
    void this.save();
  }

  /** The notes were handed in: nothing of them stays here. */
  forget(): void {
    this.dirty = false;
    clearTimeout(this.timer);
    dropKept(this.call);
  }

  private readonly leave = (): void => void (this.dirty && this.save());

  private readonly look = (): void => {
    if (document.hidden) void this.save();
    else if (!this.dirty) void this.load();
  };

  private async load(): Promise<void> {
    const kept = readKept(this.call);
    try {
      const found = await api("GET /v1/calls/{call}/notes", { path: { call: this.call } });
      if (this.dirty) return;
      if (kept && kept.version >= found.version) this.restore(kept, found.version);
      else this.show(found);
    } catch (refused) {
      if (!(refused instanceof Refusal)) throw refused;
      if (kept && !this.dirty) this.restore(kept, kept.version);
    }
  }

  private fields(): Fields {
    return {
      summary: this.summary.peek(),
      topics: this.topics.peek(),
      disposition: this.disposition.peek(),
      cut_off: this.cutOff.peek(),
      risk: this.risk.peek(),
    };
  }

  private fill(given: Partial<Fields>): void {
    const fields = { ...BLANK, ...given };
    this.summary.value = fields.summary;
    this.topics.value = fields.topics;
    this.disposition.value = fields.disposition;
    this.cutOff.value = fields.cut_off;
    this.risk.value = fields.risk;
  }

  private show(found: DraftView): void {
    this.fill(found);
    this.version = found.version;
    this.savedAt.value = found.saved_at;
    this.theirs.value = null;
    this.dirty = false;
    this.state.value = "saved";
    dropKept(this.call);
  }

  /** What was typed here and never reached the service comes first. */
  private restore(kept: TypedOver, version: number): void {
    this.fill(kept);
    this.version = version;
    this.changed();
  }

  private async saveAll(): Promise<void> {
    while (this.dirty && this.state.peek() !== "conflict") {
      this.dirty = false;
      this.state.value = "saving";
      if (!(await this.saveOnce())) return;
    }
  }

  private async saveOnce(): Promise<boolean> {
    try {
      const body = { ...this.fields(), version: this.version };
      const found = await api("PUT /v1/calls/{call}/notes", { path: { call: this.call }, body });
      this.version = found.version;
      this.savedAt.value = found.saved_at ?? new Date(serverNow()).toISOString();
      if (!this.dirty) {
        this.state.value = "saved";
        dropKept(this.call);
      }
      return true;
    } catch (refused) {
      if (!(refused instanceof Refusal)) throw refused;
      this.dirty = true;
      if (refused.code === "changed_meanwhile") await this.meetTheirs();
      else if (refused.code === "not_now" || refused.code === "not_found") this.forget();
      else this.tryAgainLater();
      return false;
    }
  }

  private async meetTheirs(): Promise<void> {
    const found = await api("GET /v1/calls/{call}/notes", { path: { call: this.call } });
    this.theirs.value = found;
    this.state.value = "conflict";
  }

  private tryAgainLater(): void {
    this.state.value = "kept_here";
    clearTimeout(this.timer);
    if (!this.closed) this.timer = setTimeout(() => void this.save(), AGAIN_MILLISECONDS);
  }

  private keepHere(): void {
    try {
      const kept: TypedOver = { ...this.fields(), version: this.version };
      sessionStorage.setItem(keyOf(this.call), JSON.stringify(kept));
    } catch {
      // Without storage the service alone keeps it.
    }
  }
}

function readKept(call: string): TypedOver | null {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(call)) ?? "null") as TypedOver | null;
  } catch {
    return null;
  }
}

function dropKept(call: string): void {
  try {
    sessionStorage.removeItem(keyOf(call));
  } catch {
    // Nothing was kept.
  }
}
