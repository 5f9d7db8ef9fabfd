import { describe, expect, it } from 'vitest';
import { IllegalActionError, SessionState, type Answer } from '../../../src/lib/jingle/session-state.js';
import type { Action, Content, JingleMessage, Role } from '../../../src/lib/jingle/stanzas.js';
import { xml } from '../../../src/lib/xml/element.js';

const file: Content = { creator: 'initiator', name: 'f', senders: 'initiator' };
const second: Content = { creator: 'initiator', name: 'g', senders: 'initiator' };
const theirs: Content = { creator: 'responder', name: 'h', senders: 'responder' };

const message = (
  action: Action,
  contents: Content[] = [],
  rest: Partial<JingleMessage> = {},
): JingleMessage => ({
  action,
  sid: 's',
  contents,
  payload: [],
  ...rest,
});

function begin(role: Role, contents = [file]): SessionState {
  return new SessionState({
    role,
    sid: 's',
    initiate: message('session-initiate', contents),
    understands: (payload) => payload.is('received'),
  });
}

function active(role: Role): SessionState {
  const state = begin(role);
  if (role === 'initiator') state.receive(message('session-accept', [file]));
  else state.send(message('session-accept', [file]));
  return state;
}

const kinds = (answer: Answer): string[] => ('events' in answer ? answer.events.map(({ kind }) => kind) : []);
const refusalOf = (answer: Answer): string[] =>
  'error' in answer ? [answer.error.condition, answer.error.application?.getName() ?? ''] : [];

describe('a pending session', () => {
  it('becomes active when the responder accepts', () => {
    const state = begin('initiator');
    expect(kinds(state.receive(message('session-accept', [file])))).toEqual(['accepted']);
    expect(state.phase).toBe('active');
    expect(state.isAccepted(file)).toBe(true);
  });

  it('drops the contents that an acceptance leaves out', () => {
    const state = begin('initiator', [file, second]);
    const answer = state.receive(message('session-accept', [second]));
    expect(kinds(answer)).toEqual(['accepted', 'content-rejected']);
    expect(state.contents).toEqual([second]);
  });

  it('refuses an acceptance of something never offered, and stays pending', () => {
    const state = begin('initiator');
    expect(refusalOf(state.receive(message('session-accept', [second])))).toEqual(['bad-request', '']);
    expect(state.phase).toBe('pending');
  });

  it('lets candidates pass before the acceptance', () => {
    expect(kinds(begin('initiator').receive(message('transport-info', [file])))).toEqual(['transport-info']);
    expect(kinds(begin('responder').receive(message('transport-info', [file])))).toEqual(['transport-info']);
  });

  it('ends when either side terminates', () => {
    const state = begin('responder');
    const answer = state.receive(
      message('session-terminate', [], { reason: { condition: 'cancel', details: [] } }),
    );
    expect(answer).toEqual({
      events: [{ kind: 'terminated', reason: { condition: 'cancel', details: [] } }],
    });
    expect(refusalOf(state.receive(message('session-info')))).toEqual(['item-not-found', 'unknown-session']);
    expect(() => state.send(message('session-accept', [file]))).toThrow(IllegalActionError);
  });

  it('keeps only the name of a content that nothing more is expected of', () => {
    const state = begin('initiator', [{ ...file, description: xml('description') }]);
    state.release(file);
    state.release(second);
    expect(state.contents).toEqual([file]);
    expect(kinds(state.receive(message('session-accept', [file])))).toEqual(['accepted']);
  });

  it('takes a termination without a reason', () => {
    expect(kinds(begin('initiator').receive(message('session-terminate')))).toEqual(['terminated']);
  });
});

describe('out of order', () => {
  it.each<[string, () => SessionState, JingleMessage]>([
    ['a second session-initiate', () => begin('responder'), message('session-initiate', [file])],
    ['session-accept from the initiator', () => begin('responder'), message('session-accept', [file])],
    ['a second session-accept', () => active('initiator'), message('session-accept', [file])],
    [
      'content-accept of what session-initiate offered',
      () => begin('initiator'),
      message('content-accept', [file]),
    ],
    ['transport-accept without a replace', () => active('initiator'), message('transport-accept', [file])],
    ['transport-reject without a replace', () => active('responder'), message('transport-reject', [file])],
  ])('%s', (_name, make, incoming) => {
    expect(refusalOf(make().receive(incoming))).toEqual(['unexpected-request', 'out-of-order']);
  });

  it('a second transport-replace before the first is answered', () => {
    const state = active('responder');
    expect(kinds(state.receive(message('transport-replace', [file])))).toEqual(['transport-offered']);
    expect(refusalOf(state.receive(message('transport-replace', [file])))).toEqual([
      'unexpected-request',
      'out-of-order',
    ]);
  });
});

describe('contents', () => {
  it('are added by either side, and accepted or rejected', () => {
    const state = active('initiator');
    expect(kinds(state.receive(message('content-add', [theirs])))).toEqual(['content-offered']);
    state.send(message('content-accept', [theirs]));
    expect(state.isAccepted(theirs)).toBe(true);
    state.send(message('content-add', [second]));
    expect(state.isAccepted(second)).toBe(false);
    expect(kinds(state.receive(message('content-reject', [second])))).toEqual(['content-rejected']);
    expect(state.contents).toEqual([file, theirs]);
  });

  it('cannot be added twice, and may be added in our name, as Dino does it', () => {
    const state = active('initiator');
    expect(kinds(state.receive(message('content-add', [second])))).toEqual(['content-offered']);
    expect(refusalOf(state.receive(message('content-add', [second])))).toEqual(['bad-request', '']);
    state.receive(message('content-add', [theirs]));
    expect(refusalOf(state.receive(message('content-add', [theirs])))).toEqual(['bad-request', '']);
  });

  it('are removed together or not at all', () => {
    const state = active('responder');
    expect(refusalOf(state.receive(message('content-remove', [file, second])))).toEqual([
      'item-not-found',
      '',
    ]);
    expect(state.contents).toEqual([file]);
    expect(kinds(state.receive(message('content-remove', [file])))).toEqual(['content-removed']);
    expect(state.contents).toEqual([]);
  });

  it('we added are gone again when the other side answers with an error', () => {
    const state = active('initiator');
    const add = message('content-add', [second]);
    state.send(add);
    state.settle(add, false);
    expect(state.contents).toEqual([file]);
  });

  it('change direction; when both change it at once the initiator wins', () => {
    const initiator = active('initiator');
    const modify = message('content-modify', [{ ...file, senders: 'none' }]);
    initiator.send(modify);
    expect(refusalOf(initiator.receive(modify))).toEqual(['conflict', 'tie-break']);
    initiator.settle(modify, true);
    expect(initiator.contents[0]?.senders).toBe('none');
    const responder = active('responder');
    responder.send(modify);
    expect(kinds(responder.receive(modify))).toEqual(['content-modified']);
  });
});

describe('transport-replace', () => {
  it('is answered by an acceptance or a rejection, once', () => {
    const state = active('initiator');
    state.send(message('transport-replace', [file]));
    expect(kinds(state.receive(message('transport-accept', [file])))).toEqual(['transport-accepted']);
    expect(refusalOf(state.receive(message('transport-accept', [file])))).toEqual([
      'unexpected-request',
      'out-of-order',
    ]);
    state.send(message('transport-replace', [file]));
    expect(kinds(state.receive(message('transport-reject', [file])))).toEqual(['transport-rejected']);
  });

  it('from both sides at once: the initiator refuses, the responder yields', () => {
    const initiator = active('initiator');
    const responder = active('responder');
    const replace = message('transport-replace', [file]);
    initiator.send(replace);
    responder.send(replace);
    expect(refusalOf(initiator.receive(replace))).toEqual(['conflict', 'tie-break']);
    expect(kinds(responder.receive(replace))).toEqual(['transport-offered']);
    responder.settle(replace, false);
    responder.send(message('transport-accept', [file]));
    expect(kinds(initiator.receive(message('transport-accept', [file])))).toEqual(['transport-accepted']);
  });

  it('of a content that is not there is refused', () => {
    expect(refusalOf(active('initiator').receive(message('transport-replace', [second])))).toEqual([
      'item-not-found',
      '',
    ]);
  });
});

describe('session-info', () => {
  it('without a payload is a ping', () => {
    expect(active('initiator').receive(message('session-info'))).toEqual({
      events: [{ kind: 'info', payload: undefined }],
    });
  });

  it('reaches the application when it knows the payload, and is refused when it does not', () => {
    const state = active('initiator');
    expect(kinds(state.receive(message('session-info', [], { payload: [xml('received')] })))).toEqual([
      'info',
    ]);
    expect(refusalOf(state.receive(message('session-info', [], { payload: [xml('ringing')] })))).toEqual([
      'feature-not-implemented',
      'unsupported-info',
    ]);
  });
});

describe('our own mistakes', () => {
  it.each<[string, Role, JingleMessage]>([
    ['accepting as the initiator', 'initiator', message('session-accept', [file])],
    ['accepting twice', 'responder', message('session-accept', [file])],
    ['initiating again', 'initiator', message('session-initiate', [file])],
    ['naming an unknown content', 'initiator', message('transport-info', [second])],
    ['accepting a transport nobody offered', 'responder', message('transport-accept', [file])],
    ['accepting our own content', 'initiator', message('content-accept', [file])],
  ])('%s throws', (_name, role, outgoing) => {
    expect(() => active(role).send(outgoing)).toThrow(IllegalActionError);
  });
});
