/** The thread that checks documents: the build makes a file of its own of it. */
import { parentPort, workerData } from 'node:worker_threads';
import { compileSchema, type FindFault, type SchemaFault } from './compile-schema.js';

/** The answer to each text, in order; and one before them that says whether there is a schema. */
export type SchemaReply =
  { kind: 'ready' } | { kind: 'checked'; fault: SchemaFault | undefined } | SchemaError;

export interface SchemaError {
  kind: 'failed';
  reason: string;
}

const reply = (message: SchemaReply): void => parentPort?.postMessage(message);

function compile(): FindFault | undefined {
  try {
    const findFault = compileSchema(workerData as string);
    reply({ kind: 'ready' });
    return findFault;
  } catch (error) {
    reply({ kind: 'failed', reason: (error as Error).message });
    return undefined;
  }
}

const findFault = compile();
if (findFault)
  parentPort?.on('message', (text: string) => reply({ kind: 'checked', fault: findFault(text) }));
