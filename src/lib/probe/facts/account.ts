/**
 * What only somebody who has logged in can try: everything it makes is taken away again. Publish-options (XEP-0060
 * §7.1.5), an upload there and back (XEP-0363).
 *
 * XEP-0049: Private XML Storage, version 1.2 (only that it answers).
 */
import { randomBytes } from 'node:crypto';
import { ConnectError, StanzaError } from '../../errors.js';
import { findUploadService } from '../../http-upload/find-upload-service.js';
import { requestSlot } from '../../http-upload/request-slot.js';
import type { HttpTrust } from '../../http-upload/http-request.js';
import type { Session } from '../../session/session.js';
import { childElements, xml } from '../../xml/element.js';
import type { Budget } from '../wire/budget.js';
import { fetchOnce } from '../wire/https.js';
import type { Measured } from './facts.js';
import { readServices, type ServicesFacts } from './services.js';
import { measure, reasonOf } from './measure.js';

const NS_PUBSUB = 'http://jabber.org/protocol/pubsub';
const NS_OWNER = 'http://jabber.org/protocol/pubsub#owner';
const NS_PRIVATE = 'jabber:iq:private';
const ORIGIN = 'https://probe.invalid';

export interface AccountFacts {
  publishOptions: Measured<{ outcome: string }>;
  upload: Measured<{
    put: number;
    get: number;
    isSame: boolean;
    allowOrigin: string | undefined;
    allowMethods: string | undefined;
  }>;
  privateStorage: Measured<boolean>;
}

export interface AccountTarget {
  session: Session;
  budget: Budget;
  extraRoots: readonly string[];
  trust: HttpTrust | undefined;
  /** The addresses of a name; none where it may not be connected to. */
  resolve: (host: string) => Promise<readonly string[]>;
}

export function readServicesAsAccount({ session }: AccountTarget): Promise<ServicesFacts> {
  return readServices(
    (to, payload) => session.request({ type: 'get', ...(to !== undefined && { to }), payload }),
    session.jid.domain,
    {
      jid: session.jid.bare.toString(),
      streamFeatures: childElements(session.features).map(
        (child) => `{${child.getNS() ?? ''}}${child.getName()}`,
      ),
    },
  );
}

export async function collectAccount(target: AccountTarget): Promise<AccountFacts> {
  const [publishOptions, upload, privateStorage] = await Promise.all([
    measure(() => tryPublishOptions(target)),
    tryUpload(target),
    measure(() => tryPrivateStorage(target)),
  ]);
  return { publishOptions, upload, privateStorage };
}

async function tryPublishOptions({ session }: AccountTarget): Promise<{ outcome: string }> {
  const node = `urn:xmppctl:probe:${randomBytes(8).toString('hex')}`;
  const field = (name: string, value: string, type?: string) =>
    xml('field', { var: name, type }, xml('value', {}, value));
  const form = (formType: string, type: string) =>
    xml(
      'x',
      { xmlns: 'jabber:x:data', type },
      field('FORM_TYPE', formType, 'hidden'),
      field('pubsub#access_model', 'whitelist'),
    );
  const item = xml('item', { id: 'probe' }, xml('probe', { xmlns: 'urn:xmppctl:probe' }));
  const payload = xml(
    'pubsub',
    { xmlns: NS_PUBSUB },
    xml('publish', { node }, item),
    xml('publish-options', {}, form(`${NS_PUBSUB}#publish-options`, 'submit')),
  );
  await session.request({ type: 'set', payload });
  try {
    const asked = xml('pubsub', { xmlns: NS_OWNER }, xml('configure', { node }));
    const reply = await session.request({ type: 'get', payload: asked });
    const fields =
      reply
        .getChild('pubsub', NS_OWNER)
        ?.getChild('configure')
        ?.getChild('x', 'jabber:x:data')
        ?.getChildren('field') ?? [];
    const access = fields.find(({ attrs }) => attrs['var'] === 'pubsub#access_model')?.getChildText('value');
    return { outcome: access === 'whitelist' ? 'honoured' : `the access model is ${access ?? 'not said'}` };
  } finally {
    await session.request({
      type: 'set',
      payload: xml('pubsub', { xmlns: NS_OWNER }, xml('delete', { node })),
    });
  }
}

async function tryUpload({
  session,
  budget,
  extraRoots,
  trust,
  resolve,
}: AccountTarget): Promise<AccountFacts['upload']> {
  try {
    const service = await findUploadService(session);
    if (!service) return { reason: 'there is no upload service' };
    const body = randomBytes(1024);
    const request = { fileName: 'probe.bin', sizeBytes: body.length, mediaType: 'application/octet-stream' };
    const slot = await requestSlot(session, service, request, { trust });
    const send = async (
      url: URL,
      method: 'PUT' | 'GET' | 'OPTIONS',
      headers: Record<string, string>,
      content?: Buffer,
    ) => {
      const [address] = await resolve(url.hostname.replace(/^\[|\]$/g, ''));
      if (address === undefined)
        throw new ConnectError(`${url.hostname} has no address that may be connected to`);
      return fetchOnce({
        url,
        method,
        headers,
        address,
        extraRoots,
        budget,
        ...(content && { body: content }),
      });
    };
    const headers = Object.fromEntries(
      Object.entries(slot.headers).map(([name, values]) => [name, values.join(', ')]),
    );
    const asked = await send(slot.putUrl, 'OPTIONS', {
      origin: ORIGIN,
      'access-control-request-method': 'PUT',
    });
    const put = await send(
      slot.putUrl,
      'PUT',
      { ...headers, 'content-type': 'application/octet-stream' },
      body,
    );
    const got = await send(slot.getUrl, 'GET', {});
    return {
      value: {
        put: put.status,
        get: got.status,
        isSame:
          put.status >= 200 &&
          put.status < 300 &&
          got.status === 200 &&
          got.bytes.equals(body) &&
          put.tlsProblem === undefined,
        allowOrigin: asked.headers['access-control-allow-origin'],
        allowMethods: asked.headers['access-control-allow-methods'],
      },
    };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

async function tryPrivateStorage({ session }: AccountTarget): Promise<boolean> {
  try {
    await session.request({
      type: 'get',
      payload: xml('query', { xmlns: NS_PRIVATE }, xml('probe', { xmlns: 'urn:xmppctl:probe' })),
    });
    return true;
  } catch (error) {
    if (error instanceof StanzaError) return false;
    throw error;
  }
}
