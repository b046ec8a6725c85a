/** What a caller can do with an order now; every button waits for the service's answer. */
import { useSignal, type Signal } from "@preact/signals";
import type { OrderView, ProgramView } from "../shared/api/schema.ts";
import { Button } from "../shared/components/button.tsx";
import { Dialog } from "../shared/components/dialog.tsx";
import { Icon } from "../shared/components/icons.tsx";
import { Fault, Note } from "../shared/components/showing.tsx";
import { inBoth } from "../shared/language.ts";
import { inWords } from "../shared/refusals.ts";
import { useIntent } from "../shared/use-intent.ts";
import { api } from "./account.ts";
import { costOfCancelling, costOfMissing, countsNow } from "./appointment.ts";
import { isClosed, type Now } from "./order-words.ts";
import { words } from "./words.ts";

interface Props {
  readonly order: OrderView;
  readonly program: ProgramView | null;
  readonly now: Now;
  readonly again: () => Promise<void>;
}

type Doing = (doing: () => Promise<unknown>) => Promise<void>;

/** Do it, say why if it was refused, and read again what is true in any case. */
function useDoing(again: () => Promise<void>): [Doing, Signal<string | null>] {
  const fault = useSignal<string | null>(null);
  const act: Doing = async (doing) => {
    try {
      fault.value = null;
      await doing();
    } catch (refused) {
      fault.value = inWords(refused);
    }
    await again();
  };
  return [act, fault];
}

export function Acts({ order, program, now, again }: Props) {
  const [act, fault] = useDoing(again);
  const { stage } = now;
  if (stage === "over" || stage === "unused" || stage === "ending")
    return <Fault text={fault.value} />;
  return (
    <div class="acts">
      {(stage === "ready" || stage === "interrupted") && program && <Charges program={program} />}
      <Fault text={fault.value} />
      <Calling order={order} program={program} now={now} act={act} />
      <Stopping order={order} now={now} act={act} />
      {order.release_offered && !order.call && <LettingGo order={order} act={act} />}
      {(stage === "ready" || stage === "appointed") && (
        <GivingUp order={order} program={program} act={act} />
      )}
      {stage === "interrupted" && order.claim === null && (
        <a class="button quiet" id="problem" href={`/call/orders/${order.id}/claim`}>
          {words.value.problem}
        </a>
      )}
    </div>
  );
}

/** What to know right before the button is pressed. */
function Charges({ program }: { program: ProgramView }) {
  return (
    <div class="fine charges">
      <p>{inBoth(program.charge_notice)}</p>
      <p>{words.value.dangerText}</p>
    </div>
  );
}

interface ActProps {
  readonly order: OrderView;
  readonly now: Now;
  readonly act: Doing;
}

function Calling({ order, program, now, act }: ActProps & { program: ProgramView | null }) {
  const say = words.value;
  const pressing = useIntent();
  const path = { order: order.id };
  const call = () =>
    act(() =>
      pressing.carryOut((intent) =>
        api("POST /v1/orders/{order}/calls", { path, body: {}, intent }),
      ),
    );
  if (now.stage === "waiting")
    return (
      <Button id="call-now" key="call-now" look="call" onPress={call}>
        <Icon name="phone" />
        {say.waitingNow}
      </Button>
    );
  if (now.stage !== "ready" && now.stage !== "interrupted") return null;
  if (isClosed(program)) return <Note tone="warm" icon="clock" title={say.closedNow} />;
  return (
    <Button id="call" key="call" look="call" onPress={call}>
      <Icon name="phone" />
      {now.stage === "ready" ? say.call : say.reconnect}
    </Button>
  );
}

function Stopping({ order, now, act }: ActProps) {
  const say = words.value;
  const hangUp = () =>
    act(() => api("DELETE /v1/orders/{order}/calls/current", { path: { order: order.id } }));
  if (now.stage === "connected" || now.stage === "parted")
    return (
      <Button
        id="hang-up"
        key="hang-up"
        look="danger"
        wide
        armedAfterMilliseconds={1000}
        onPress={hangUp}
      >
        {say.hangUp}
      </Button>
    );
  if (!["ringing_you", "ringing_them", "queued", "waiting"].includes(now.stage)) return null;
  return (
    <Button id="stop" key="stop" look="quiet" armedAfterMilliseconds={1000} onPress={hangUp}>
      {say.stopRinging}
    </Button>
  );
}

function LettingGo({ order, act }: { order: OrderView; act: Doing }) {
  const say = words.value;
  const release = () =>
    act(async () => {
      const body = { reason: "not_reached" };
      await api("POST /v1/orders/{order}/release", { path: { order: order.id }, body });
    });
  return (
    <Note tone="blue" icon="person" title={say.releaseWhy}>
      <Button id="release" onPress={release}>
        {say.release}
      </Button>
    </Note>
  );
}

interface GivingUpProps {
  readonly order: OrderView;
  readonly program: ProgramView | null;
  readonly act: Doing;
}

function GivingUp({ order, program, act }: GivingUpProps) {
  const say = words.value;
  const asking = useSignal(false);
  const missing = costOfMissing(order, program);
  const cost = costOfCancelling(order, program);
  const cancel = () =>
    act(async () => {
      asking.value = false;
      await api("DELETE /v1/orders/{order}", { path: { order: order.id } });
    });
  return (
    <>
      {order.starts_at && (
        <div class={countsNow(order) ? "fine cost late" : "fine cost"} id="cost">
          <p>{cost}</p>
          {missing && <p>{missing}</p>}
        </div>
      )}
      <Button id="cancel" key="cancel" look="quiet" onPress={() => void (asking.value = true)}>
        {say.cancelOrder}
      </Button>
      {asking.value && (
        <Dialog alert title={say.cancelTitle} onClose={() => (asking.value = false)}>
          <p>{cost}</p>
          <div class="actions">
            <Button onPress={() => void (asking.value = false)}>{say.cancelNo}</Button>
            <Button id="cancel-yes" look="danger" onPress={cancel}>
              {countsNow(order) ? say.cancelYesCounts : say.cancelYes}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
