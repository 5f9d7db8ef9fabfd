/** Things that a server can do instead of what it should. Give one to a step: `at: { auth: hangUp }`. */
import type { Hook } from './options.js';

export const staySilent: Hook = () => undefined;

/** Closes the connection politely, in the middle of the stream. */
export const hangUp: Hook = (peer) => {
  peer.end();
};

/** Cuts the connection. */
export const reset: Hook = (peer) => {
  peer.reset();
};

/** Ends the stream as a server does that has no more to say. */
export const endStream: Hook = async (peer) => {
  await peer.write('</stream:stream>');
};

export function sendText(text: string | Uint8Array): Hook {
  return async (peer) => {
    await peer.write(text);
  };
}

export function streamError(condition: string, text = ''): Hook {
  return sendText(
    `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>${
      text && `<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>${text}</text>`
    }</stream:error></stream:stream>`,
  );
}

export const sendBrokenXml = sendText('<message><body>one</message></body>');
export const sendStrayEndTag = sendText('</message>');
export const sendDtd = sendText(
  `<!DOCTYPE foo [<!ENTITY a "aaaaaaaaaa">]><message><body>&a;</body></message>`,
);
export const sendInvalidUtf8 = sendText(Buffer.from([0x3c, 0x61, 0x3e, 0xc3, 0x28, 0x3c, 0x2f, 0x61, 0x3e]));

/** The beginning of a stanza, and then the connection is cut. */
export const cutMidStanza: Hook = async (peer) => {
  await peer.write('<message from="somebody@fake.test"><body>half of a sen');
  peer.destroy();
};

/** One stanza of this size, in pieces of 64 KiB. */
export function sendHugeStanza(sizeBytes: number): Hook {
  return async (peer) => {
    await peer.write('<message from="somebody@fake.test"><body>');
    const piece = Buffer.alloc(65_536, 'x');
    for (let sent = 0; sent < sizeBytes && !peer.socket.destroyed; sent += piece.length)
      await peer.write(piece);
    await peer.write('</body></message>');
  };
}

/** Elements inside each other, this deep. */
export function sendDeepStanza(depth: number): Hook {
  return sendText(`<message>${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}</message>`);
}
