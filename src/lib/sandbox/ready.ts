/** Whether a server is up: it is when it answers, and not before. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const RETRY_MS = 25;

/**
 * Waits until a client stream to the port is answered with its features (RFC 6120 §4.3.2): then the host is loaded.
 * @param signal ends the wait
 */
export async function waitForStream(
  host: string,
  port: number,
  domain: string,
  signal: AbortSignal,
): Promise<void> {
  while (!(await answersStream(host, port, domain, signal))) await delay(RETRY_MS, undefined, { signal });
}

/** Waits until something accepts connections on the port. */
export async function waitForPort(host: string, port: number, signal: AbortSignal): Promise<void> {
  while (!(await exchange(host, port, '', () => true, signal))) await delay(RETRY_MS, undefined, { signal });
}

function answersStream(host: string, port: number, domain: string, signal: AbortSignal): Promise<boolean> {
  const header = `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;
  return exchange(host, port, header, (answer) => answer.includes('features'), signal);
}

function exchange(
  host: string,
  port: number,
  text: string,
  isEnough: (answer: string) => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host, port });
    const finish = (result: boolean) => {
      signal.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(result);
    };
    const giveUp = () => {
      finish(false);
    };
    signal.addEventListener('abort', giveUp);
    socket.setEncoding('utf8');
    socket.on('connect', () => {
      if (text === '') finish(isEnough(answer));
      else socket.write(text);
    });
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (isEnough(answer)) finish(true);
    });
    socket.on('error', giveUp);
    socket.on('close', giveUp);
  });
}
