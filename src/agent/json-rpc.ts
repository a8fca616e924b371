/** A JSON-RPC error that is not the answer to a particular request, with its HTTP status. */
export function jsonRpcError(
  status: number,
  code: number,
  options: { message: string; headers?: Record<string, string> },
): Response {
  const body = { jsonrpc: '2.0', error: { code, message: options.message }, id: null }
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...options.headers },
  })
}
