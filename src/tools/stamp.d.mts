export declare function sourceStamp(root: string): string
export declare function builtStamp(root: string): { stamp: string; chunks: string[] } | null
export declare function staleModules(root: string): string | null
