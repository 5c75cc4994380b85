import type { onSendAsyncHookHandler, RouteOptions } from 'fastify'

/** Has a hook see the answers of a route after all that the route has itself. */
export function lastOnSend (route: RouteOptions, hook: onSendAsyncHookHandler): void {
  route.onSend = [route.onSend ?? [], hook].flat() as onSendAsyncHookHandler[] // one of the two kinds, which both are called alike
}
