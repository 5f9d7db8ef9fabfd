/** The library: what other programs may build on. */
export * from './errors.js';
export { JID } from './jid/jid.js';
export { connect } from './session/connect.js';
export { openUnauthenticated, type UnauthenticatedStream } from './session/open-unauthenticated.js';
export type {
  ConnectOptions,
  Credentials,
  FastToken,
  FastTokenStore,
  TlsOptions,
} from './session/options.js';
export type {
  ConnectionInfo,
  IqHandler,
  IqRequest,
  Session,
  SessionEvents,
  SessionState,
  StanzaFilter,
  WaitOptions,
} from './session/session.js';
export { StanzaReply } from './session/stanza-reply.js';
export type { ConnectionTrace, Tracer } from './trace/events.js';
export { Element, xml } from './xml/element.js';
