/** A console's line on which everything is typed by hand: bytes in both directions, made harmless for the terminal. */
import { StringDecoder } from 'node:string_decoder';
import { openRawConnection, type Security } from '../../lib/console/raw-connection.js';
import { ConnectionLostError, UsageError, XmppctlError } from '../../lib/errors.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { Line, LineSurroundings } from './terminal.js';

/** @throws XmppctlError whatever stands in the way of connecting */
export async function openByteLine(
  security: Security,
  { context, trace, print, onEnd }: LineSurroundings,
): Promise<Line> {
  const { style } = context.output;
  const options = await context.connectOptions({ tracer: trace });
  const socket = await openRawConnection(options, security);
  const domain = options.jid.domain;
  let decoder = new StringDecoder('utf8');
  socket.on('data', (bytes) => print(`${style.incoming('←')} ${safeText(decoder.write(bytes))}`));
  socket.on('error', () => undefined);
  socket.on('close', (_hadError, reason) =>
    onEnd(reason ?? new ConnectionLostError('the server closed the connection')),
  );
  socket.resume();
  return {
    prompt: '> ',
    isRaw: true,
    values: { me: options.jid.toString(), bare: options.jid.bare.toString(), domain },
    addresses: new Set([domain]),
    send: (text) =>
      new Promise((resolve, reject) => {
        const line = socket.framing === 'websocket' ? text.trim() : `${text}\n`;
        socket.write(line, (error) => {
          if (error) reject(error);
          else resolve();
        });
      }),
    setting: () => false,
    describe: () =>
      `${socket.remote}, ${socket.tls?.version ?? 'without TLS'}, nothing said yet on the ${socket.framing === 'websocket' ? 'WebSocket' : 'stream'}`,
    async startTls() {
      if (socket.secure) throw new UsageError('there is TLS already');
      try {
        await socket.startTls();
      } catch (error) {
        if (!(error instanceof XmppctlError)) throw error;
        // A connection whose handshake failed is gone.
        onEnd(error);
        return;
      }
      decoder = new StringDecoder('utf8');
      print(style.dim(`${socket.tls?.version ?? 'TLS'}; the stream begins anew`));
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => {
      socket.end();
      return Promise.resolve();
    },
  };
}
