// Devices: a token for each phone or camera, shown once, and ended when it is lost.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useSay } from "../../ui/parts";
import { post } from "../api/client";
import type { DeviceOut, NewDevice } from "../api/types";
import { Told, useWork } from "../faults";
import { Field } from "../Field";
import { shownDay } from "../instants";
import { Secret } from "./Secret";
import { useList } from "./useList";

export function Devices(): JSX.Element {
  const say = useSay();
  const { list, fault, again } = useList<DeviceOut>("/admin/devices");
  const [made, setMade] = useState<NewDevice | null>(null);
  return (
    <>
      <Told fault={fault} />
      <New
        made={(found) => {
          setMade(found);
          void again();
        }}
      />
      {list && !list.length && <p>{say("device.none")}</p>}
      <ul class="cards">
        {list?.map((device) => (
          <One key={device.id} device={device} again={again} />
        ))}
      </ul>
      {made && <Secret qr title={made.device.name} text={say("device.token")} secret={made.token} close={() => setMade(null)} />}
    </>
  );
}

function One({ device, again }: { device: DeviceOut; again: () => Promise<void> }): JSX.Element {
  const say = useSay();
  const [sure, setSure] = useState(false);
  const { busy, fault, run } = useWork();
  const over = Date.parse(device.expires_at) < Date.now();
  const revoke = async (): Promise<void> => {
    await post<DeviceOut>(`/admin/devices/${device.id}/revoke`);
    await again();
  };
  return (
    <li class={device.revoked || over ? "panel closed" : "panel"}>
      <div class="row">
        <div class="grow">
          <b>{device.name}</b>
          <p class="faint">{say("device.since", { from: shownDay(device.created_at), to: shownDay(device.expires_at) })}</p>
          {(device.revoked || over) && (
            <p class="tags">
              <i class="tag warn">{say(device.revoked ? "device.revoked" : "device.over")}</i>
            </p>
          )}
        </div>
        {!device.revoked && !over && !sure && (
          <button class="danger" aria-label={`${say("device.revoke")}: ${device.name}`} onClick={() => setSure(true)}>
            {say("device.revoke")}
          </button>
        )}
      </div>
      {sure && !device.revoked && (
        <div class="opened" role="group" aria-label={say("device.revoke")}>
          <p>{say("device.sure")}</p>
          <div class="row">
            <button class="danger" disabled={busy} onClick={() => void run(revoke)}>
              {say("device.revoke_now")}
            </button>
            <button onClick={() => setSure(false)}>{say("admin.cancel")}</button>
          </div>
        </div>
      )}
      <Told fault={fault} />
    </li>
  );
}

function New({ made }: { made: (found: NewDevice) => void }): JSX.Element {
  const say = useSay();
  const [name, setName] = useState("");
  const [days, setDays] = useState("365");
  const { busy, fault, run } = useWork();
  const send = async (): Promise<void> => {
    made(await post<NewDevice>("/admin/devices", { name: name.trim(), days: Number(days) }));
    setName("");
  };
  return (
    <form
      class="panel"
      onSubmit={(event) => {
        event.preventDefault();
        void run(send);
      }}
    >
      <h2>{say("device.new")}</h2>
      <p class="faint">{say("device.new_text")}</p>
      <div class="row bottom">
        <Field label={say("device.name")} name="device-name" required maxLength={80} autocomplete="off" value={name} set={setName} />
        <Field label={say("device.days")} name="device-days" type="number" min={1} max={3650} required value={days} set={setDays} />
        <button class="primary" type="submit" disabled={busy}>
          {say("device.make")}
        </button>
      </div>
      <Told fault={fault} />
    </form>
  );
}
