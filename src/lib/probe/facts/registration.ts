/**
 * XEP-0077: In-Band Registration, version 2.4: only the form is asked for. Nothing is ever registered.
 *
 * Also looked for: XEP-0158 challenges, XEP-0445 invitations, out-of-band redirections.
 */
import { childElements, type Element } from '../../xml/element.js';
import type { RegistrationFacts } from './facts.js';
import { readStream } from './read-stream.js';
import { openSecureStream } from './secure-stream.js';
import { openingOf, type EndpointProbe } from './target.js';

const NS_REGISTER = 'jabber:iq:register';
const NS_FORM = 'jabber:x:data';
const NS_OOB = 'jabber:x:oob';
const ANSWER_MS = 3000;

export async function collectRegistration(probe: EndpointProbe): Promise<RegistrationFacts> {
  using stream = await openSecureStream(probe, 'registration form');
  const { features } = await readStream(stream, openingOf(probe));
  stream.transcript.clear();
  stream.write(`<iq type='get' id='reg1' to='${probe.domain}'><query xmlns='${NS_REGISTER}'/></iq>`);
  const event = await stream.next(ANSWER_MS);
  const evidence = stream.transcript.evidence();
  const query =
    event.kind === 'element' && event.element.attrs['type'] === 'result'
      ? event.element.getChild('query', NS_REGISTER)
      : undefined;
  if (!query) {
    const isByInvitation =
      features.includes('{urn:xmpp:ibr-token:0}register') || features.includes('{urn:xmpp:invite}register');
    return {
      kind: isByInvitation ? 'invitation' : 'closed',
      isAnnounced: false,
      fields: [],
      evidence,
    };
  }
  const isAnnounced = features.includes('{http://jabber.org/features/iq-register}register');
  return { ...judgeForm(query, features), isAnnounced, evidence };
}

function judgeForm(query: Element, features: readonly string[]): Pick<RegistrationFacts, 'kind' | 'fields'> {
  const form = query.getChild('x', NS_FORM);
  const fields = form
    ? form.getChildren('field').map((field) => String(field.attrs['var'] ?? ''))
    : childElements(query).map((child) => child.getName());
  const asked = fields
    .filter((name) => !['', 'instructions', 'registered', 'FORM_TYPE', 'x', 'key'].includes(name))
    .slice(0, 50);
  const hasMedia = form?.getChildren('field').some((field) => field.getChild('media') !== undefined) === true;
  if (
    hasMedia ||
    fields.some((name) =>
      /^(ocr|captcha|captcha_.*|qa|hashcash|SHA-256|audio_recog|picture_recog|video_recog|video_q|audio_q|picture_q)$/i.test(
        name,
      ),
    )
  ) {
    return { kind: 'captcha', fields: asked };
  }
  if (query.getChild('x', NS_OOB) && asked.length === 0) return { kind: 'redirect', fields: asked };
  if (
    features.some((name) => name.includes('urn:xmpp:ibr-token:0') || name.includes('urn:xmpp:invite')) &&
    asked.includes('token')
  ) {
    return { kind: 'invitation', fields: asked };
  }
  const others = asked.filter((name) => name !== 'username' && name !== 'password');
  return { kind: asked.includes('username') && others.length === 0 ? 'open' : 'form', fields: asked };
}
