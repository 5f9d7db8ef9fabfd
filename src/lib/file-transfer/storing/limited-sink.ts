/** A sink that takes only so much: for files whose size was not said, or was a lie. */
import { formatBytes } from '../../output/format.js';
import { WrongContentError } from '../reasons.js';
import type { FileSink } from '../transfer.js';

export function limitedSink(sink: FileSink, maxSizeBytes: number | undefined): FileSink {
  if (maxSizeBytes === undefined) return sink;
  return {
    get offset() {
      return sink.offset;
    },
    ...(sink.partPath !== undefined && { partPath: sink.partPath }),
    write: async (chunk) => {
      if (sink.offset + chunk.length > maxSizeBytes)
        throw new WrongContentError(
          `the file is larger than the ${formatBytes(maxSizeBytes)} that are allowed`,
        );
      await sink.write(chunk);
    },
    digest: (algorithm) => sink.digest(algorithm),
    commit: () => sink.commit(),
    suspend: () => sink.suspend(),
    discard: () => sink.discard(),
  };
}
