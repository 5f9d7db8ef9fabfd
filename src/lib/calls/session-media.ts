/**
 * The contents of one session and the paths they travel on: what is offered and answered, what is added, changed and
 * removed while it lasts. Without BUNDLE each content has a path of its own; with it, all travel on that of the first.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Content, Role } from '../jingle/stanzas.js';
import type { IceServer, LinkEvent, LinkStatistics, MediaEngine } from '../media/media-link.js';
import type { Element } from '../xml/element.js';
import { MediaPath } from './media-path.js';
import { planOf, type OurContent } from './negotiate.js';
import {
  answeredSenders,
  answerOffer,
  contentOf,
  offerOf,
  readAnswer,
  transportOf,
  type OfferedMedia,
  type PathPlan,
  type PlannedContent,
  type Problem,
  type VideoWishes,
} from './offer-answer.js';
import { answeredSetup } from './security.js';
import { bundledNames, bundleOf } from './stanzas/grouping.js';

export interface SessionMediaOptions {
  /** What recordings call the other side. */
  name: string;
  engine: MediaEngine;
  servers: readonly IceServer[];
  isRelayOnly: boolean;
  interfaces: readonly string[];
  video: VideoWishes;
  /** Sends a transport-info. Never throws. */
  sendTransport: (content: Content) => Promise<void>;
  onEvent: (event: LinkEvent) => void;
  /** What was added goes again, because no path was found for it. */
  onDropped: (contents: readonly Content[], reason: string) => void;
}

/** Contents, and what stands beside them, as they are sent. */
export interface Described {
  contents: Content[];
  payload: Element[];
}

interface Track {
  ours: OurContent;
  path: MediaPath;
  /** Once both sides have described it. */
  agreed?: PlannedContent;
  /** It came when the call was under way, which goes on without it. */
  isAdded: boolean;
}

interface ReadyPath {
  plan: PathPlan;
  path: MediaPath;
}

/** Longer than the first candidates of a machine take, and not noticed by a person. */
const GATHER_MS = 60;
const KEPT_INFOS = 256;
/** In a session, with all that are added. */
const MAX_TRACKS = 8;

export class SessionMedia {
  readonly #options: SessionMediaOptions;
  readonly #cname = randomUUID();
  #tracks: Track[] = [];
  /** What was said of contents before they were agreed upon. */
  #early: Content[] = [];
  #isClosed = false;

  constructor(options: SessionMediaOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#tracks.length === 0;
  }

  /** Of the path that the sound takes. */
  statistics(): LinkStatistics | undefined {
    const track = this.#tracks.find(({ ours }) => ours.kind === 'audio') ?? this.#tracks[0];
    return track?.path.link.statistics();
  }

  async offer(media: readonly OfferedMedia[]): Promise<Described> {
    for (const ours of offerOf(media, this.#options.video, this.#cname))
      this.#tracks.push({ ours, path: await this.#openPath(ours, true), isAdded: false });
    await this.#gathered(this.#paths());
    return {
      contents: this.#tracks.map(({ ours, path }) => contentOf(ours, path.describe('actpass'))),
      payload: media.length > 1 ? [bundleOf(media.map(({ name }) => name))] : [],
    };
  }

  /** @returns what is accepted, and how it begins once that has been sent; or why nothing is */
  async answer(
    offered: readonly Content[],
    payload: readonly Element[],
  ): Promise<Problem | (Described & { begin: () => void })> {
    const plans = answerOffer(offered, payload, this.#answering('responder'));
    if ('reason' in plans) return plans;
    const ready = await this.#openAll(plans, false);
    const shared = plans.find(({ contents }) => contents.length > 1);
    return {
      contents: ready.flatMap(describeAnswer),
      payload: shared ? [bundleOf(shared.contents.map(({ ours }) => ours.name))] : [],
      begin: () => this.#begin(ready),
    };
  }

  /** Our offer was accepted. */
  async receiveAnswer(
    contents: readonly Content[],
    payload: readonly Element[],
  ): Promise<Problem | undefined> {
    const offer = this.#tracks.map(({ ours }) => ours);
    const plans = readAnswer(offer, contents, payload);
    if ('reason' in plans) return plans;
    const ready = plans.flatMap((plan) => {
      const path = this.#tracks.find(({ ours }) => ours.name === plan.contents[0]?.ours.name)?.path;
      return path ? [{ plan, path }] : [];
    });
    const unused = this.#paths().filter((path) => !ready.some((used) => used.path === path));
    this.#tracks = ready.flatMap(({ plan, path }) =>
      plan.contents.map((agreed) => ({ ours: agreed.ours, path, agreed, isAdded: false })),
    );
    await Promise.all(unused.map((path) => path.link.close()));
    this.#connect(ready);
    return undefined;
  }

  /**
   * Contents that the other side adds: as in an offer, and on a path that is there where they are bundled with it.
   * @returns undefined when none of them is wanted
   */
  async add(
    offered: readonly Content[],
    payload: readonly Element[],
    role: Role,
  ): Promise<(Described & { begin: () => void }) | undefined> {
    const kinds = new Set(this.#tracks.map(({ ours }) => ours.kind));
    const plans = answerOffer(offered, payload, this.#answering(role));
    if ('reason' in plans || this.#tracks.length + offered.length > MAX_TRACKS) return undefined;
    const wanted = plans.filter(({ contents }) => contents.every(({ ours }) => !kinds.has(ours.kind)));
    if (wanted.length === 0) return undefined;
    const bundled = bundledNames(payload);
    const host = this.#tracks.find(({ ours, agreed }) => agreed && bundled.includes(ours.name));
    const isShared = (plan: PathPlan): boolean =>
      host !== undefined && plan.contents.every(({ ours }) => bundled.includes(ours.name));
    const joining = host ? wanted.filter(isShared).map((plan) => ({ plan, path: host.path })) : [];
    for (const { plan, path } of joining) this.#keep(plan, path, false);
    const ready = await this.#openAll(
      wanted.filter((plan) => !isShared(plan)),
      true,
    );
    const sharing = this.#tracks.filter(({ path }) => path === host?.path);
    return {
      contents: [
        ...joining.flatMap(({ plan, path }) =>
          plan.contents.map(({ ours }) => contentOf(ours, path.describe(answeredSetup(plan.setup), false))),
        ),
        ...ready.flatMap(describeAnswer),
      ],
      payload: joining.length > 0 ? [bundleOf(sharing.map(({ ours }) => ours.name))] : [],
      begin: () => {
        for (const { plan, path } of joining) for (const one of plan.contents) path.link.change(one.plan);
        this.#agree(joining);
        this.#begin(ready);
      },
    };
  }

  /** The other side begins or ceases to send, or to want what we send; it cannot make us send what we do not have. */
  modify(contents: readonly Content[], role: Role): void {
    for (const { creator, name, senders } of contents) {
      const track = this.#tracks.find(({ ours }) => ours.name === name && ours.creator === creator);
      if (!track?.agreed) continue;
      const { theirs } = track.agreed;
      const { video } = this.#options;
      const ours = { ...track.ours, senders: answeredSenders(senders, theirs.media, video, role) };
      const plan = planOf(ours, theirs, role);
      if (!plan) continue;
      track.ours = ours;
      track.agreed = { ours, theirs, plan };
      track.path.link.change(plan);
    }
  }

  async remove(contents: readonly Content[]): Promise<void> {
    const names = contents.map(({ name }) => name);
    const before = this.#paths();
    this.#tracks = this.#tracks.filter(({ ours }) => !names.includes(ours.name));
    const left = new Set(this.#paths());
    await Promise.all(before.filter((path) => !left.has(path)).map((path) => path.link.close()));
  }

  receiveTransport(content: Content): void {
    const track = this.#tracks.find(({ ours }) => ours.name === content.name);
    if (!track?.agreed) {
      if (this.#early.length < KEPT_INFOS) this.#early.push(content);
      return;
    }
    const transport = transportOf(content);
    if (transport) track.path.receive(transport);
  }

  /** From now on the other side is told of candidates as they come. */
  trickle(): void {
    for (const path of this.#paths()) path.trickle();
  }

  /** ICE anew on all paths. */
  async restart(): Promise<void> {
    await Promise.all(this.#paths().map((path) => path.restart()));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#paths().map((path) => path.link.close()));
  }

  #answering(role: Role): { video: VideoWishes; cname: string; role: Role } {
    return { video: this.#options.video, cname: this.#cname, role };
  }

  async #openAll(plans: readonly PathPlan[], isAdded: boolean): Promise<ReadyPath[]> {
    const ready: ReadyPath[] = [];
    for (const plan of plans) {
      const [first] = plan.contents;
      if (!first) continue;
      const path = await this.#openPath(first.ours, false);
      ready.push({ plan, path });
      this.#keep(plan, path, isAdded);
    }
    await this.#gathered(ready.map(({ path }) => path));
    return ready;
  }

  /** Not agreed upon before the answer is sent: what comes until then waits. */
  #keep(plan: PathPlan, path: MediaPath, isAdded: boolean): void {
    for (const { ours } of plan.contents) this.#tracks.push({ ours, path, isAdded });
  }

  #agree(ready: readonly ReadyPath[]): void {
    for (const { plan } of ready)
      for (const agreed of plan.contents) {
        const track = this.#tracks.find(({ ours }) => ours === agreed.ours);
        if (track) track.agreed = agreed;
      }
  }

  #begin(ready: readonly ReadyPath[]): void {
    this.#agree(ready);
    this.#connect(ready);
    for (const { path } of ready) path.trickle();
  }

  #connect(ready: readonly ReadyPath[]): void {
    for (const { plan, path } of ready)
      path.connect(
        plan.transport,
        plan.setup,
        plan.contents.map((content) => content.plan),
      );
    for (const content of this.#early.splice(0)) this.receiveTransport(content);
  }

  async #openPath(ours: OurContent, isInitiator: boolean): Promise<MediaPath> {
    const { engine, name, servers, isRelayOnly, interfaces, sendTransport } = this.#options;
    const link = await engine.openLink({ name, isInitiator, servers, isRelayOnly, interfaces });
    if (this.#isClosed) await link.close();
    const path: MediaPath = new MediaPath({
      link,
      content: { creator: ours.creator, name: ours.name },
      newId: () => randomBytes(6).toString('hex'),
      sendInfo: ({ creator, name: content }, transport) =>
        sendTransport({ creator, name: content, senders: 'both', transport }),
      onEvent: (event) => this.#receive(path, event),
    });
    return path;
  }

  #receive(path: MediaPath, event: LinkEvent): void {
    const { onEvent, onDropped } = this.#options;
    const added = this.#tracks.filter((track) => track.path === path && track.isAdded);
    if (event.type !== 'failed' || added.length === 0) {
      onEvent(event);
      return;
    }
    this.#tracks = this.#tracks.filter((track) => track.path !== path);
    const dropped = added.map(({ ours: { creator, name, senders } }) => ({ creator, name, senders }));
    onDropped(dropped, event.reason);
  }

  async #gathered(paths: readonly MediaPath[]): Promise<void> {
    await Promise.all(paths.map((path) => path.gathered(GATHER_MS)));
  }

  #paths(): MediaPath[] {
    return [...new Set(this.#tracks.map(({ path }) => path))];
  }
}

function describeAnswer({ plan, path }: ReadyPath): Content[] {
  const setup = answeredSetup(plan.setup);
  return plan.contents.map(({ ours }, index) => contentOf(ours, path.describe(setup, index === 0)));
}
