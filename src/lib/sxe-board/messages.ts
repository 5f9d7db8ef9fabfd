/** What the command and its page say to each other: one JSON object a message of a WebSocket. */

/** Nodes have the ids of their records. */
export type BoardNode =
  | { id: string; kind: 'element'; name: string; attributes: [name: string, value: string][] }
  | { id: string; kind: 'text'; text: string };

/** Where a node is: in which one, and behind which sibling; empty for the document, and for the first place. */
export type PlacedNode = BoardNode & { parent: string; after: string };

export type ToPage =
  /** The whole of what can be shown, in document order. `isDrawing`: it is SVG at all. */
  | { kind: 'document'; nodes: PlacedNode[]; isDrawing: boolean; isCutOff: boolean }
  /** `put`: new, or in another place, in document order; `changed`: the same place. */
  | { kind: 'patch'; gone: string[]; put: PlacedNode[]; changed: BoardNode[] }
  | { kind: 'people'; own: string; others: string[]; title: string }
  /** Who has just changed something. */
  | { kind: 'touched'; id: string; name: string }
  /** The actions up to this one are in the document; `made`: what the last one drew. */
  | { kind: 'done'; seq: number; made?: string }
  | { kind: 'history'; canUndo: boolean; canRedo: boolean }
  | { kind: 'notice'; text: string }
  /** The command ends. */
  | { kind: 'end'; text: string };

export interface Shape {
  name: string;
  attributes: Record<string, string>;
  /** Of a text. */
  text?: string | undefined;
}

export interface ShapeChange {
  id: string;
  /** Null removes one. */
  attributes: Record<string, string | null>;
}

/** `gesture`: what belongs together is undone together. */
export type BoardAction =
  | { kind: 'draw'; seq: number; gesture: string; shape: Shape }
  | { kind: 'change'; seq: number; gesture: string; changes: ShapeChange[] }
  | { kind: 'text'; seq: number; gesture: string; id: string; text: string }
  | { kind: 'erase'; seq: number; gesture: string; ids: string[] }
  | { kind: 'undo' | 'redo'; seq: number };

/** The first message of a page: under this name it comes back after its connection was lost. */
export interface Hello {
  kind: 'hello';
  page: string;
}
export type FromPage = Hello | BoardAction;
