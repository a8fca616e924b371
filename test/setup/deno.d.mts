export function findDeno(root: string): string | null
