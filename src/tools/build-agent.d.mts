/** Builds the program that is mounted at /Agent in every container; answers the files written. */
export declare function buildAgent(outDir: string): Promise<string[]>
