export declare function filesBelow(folder: string): string[]
export declare function publish(from: string, to: string, options: { keep: ReadonlySet<string> }): void
