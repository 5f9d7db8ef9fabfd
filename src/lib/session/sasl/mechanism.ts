/**
 * The client's side of one SASL mechanism (RFC 4422): messages in and out as bytes, no network.
 */
export interface SaslMechanism {
  /** As the server offers it: `SCRAM-SHA-256-PLUS`. */
  readonly name: string;
  /** The type of channel binding in use. */
  readonly channelBinding: string | undefined;
  /** The server has to prove that it knows the secret: `finish` fails where it did not. */
  readonly isMutual: boolean;
  /** True once the lists of the server were confirmed under the password (XEP-0474). */
  readonly isDowngradeProtected: boolean;
  /** The initial response. Every mechanism here begins. */
  start(): Promise<Buffer>;
  /**
   * The answer to a challenge.
   *
   * @throws AuthError the challenge is not one that an honest server sends
   */
  respond(challenge: Buffer): Promise<Buffer>;
  /**
   * Takes what came with the server's success.
   *
   * @throws AuthError the server did not prove itself
   */
  finish(data: Buffer | undefined): void;
}
