// The little of Node that parley.mjs uses, so that its types can be checked without @types/node.

interface Emitter {
  on(event: string, listener: (...values: any[]) => void): this;
}

interface Buffer extends Uint8Array {
  indexOf(byte: number): number;
  subarray(begin?: number, end?: number): Buffer;
  toString(): string;
}

declare const Buffer: {
  concat(parts: Uint8Array[]): Buffer;
  from(text: string): Buffer;
};

declare const process: { argv: string[]; exitCode: number; stdout: { write(text: string): void } };

interface ImportMeta {
  url: string;
}

declare module "node:url" {
  export function fileURLToPath(url: string): string;
}

declare module "node:child_process" {
  interface Readable extends Emitter {
    setEncoding(encoding: string): this;
  }
  interface Writable extends Emitter {
    write(bytes: Uint8Array): boolean;
    end(): void;
  }
  interface ChildProcess extends Emitter {
    pid?: number;
    stdin: Writable;
    stdout: Readable;
    stderr: Readable;
    kill(signal: string): boolean;
  }
  export function spawn(command: string, flags: string[], options: { stdio: string[]; detached: boolean }): ChildProcess;
}
