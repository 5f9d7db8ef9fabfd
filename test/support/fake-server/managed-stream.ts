/** The server's side of stream management (XEP-0198): what it needs to go on with a stream on another connection. */
import { randomUUID } from 'node:crypto';

export class ManagedStream {
  readonly id = randomUUID();
  /** Stanzas received from the client. */
  inbound = 0;
  /** Stanzas sent, and not acknowledged. */
  outbound: string[] = [];
  /** The last `h` from the client. */
  acknowledged = 0;

  constructor(readonly jid: string) {}

  acknowledge(h: number): void {
    this.outbound.splice(0, h - this.acknowledged);
    this.acknowledged = h;
  }
}
