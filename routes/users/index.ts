import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { UserNotFoundError } from '../../lib/errors.js'
import { getUser } from '../../lib/user-store.js'
import { showUser } from './operations.js'

export interface UserRoutesOptions {
  /** Put before each operationId, which has to be unique in a host's OpenAPI document. */
  operationIdPrefix: string
}

const userRoutes: FastifyPluginAsyncTypebox<UserRoutesOptions> = async (app, { operationIdPrefix }) => {
  const { users } = app
  const schema = { ...showUser, operationId: `${operationIdPrefix}showUser` }

  app.get('/:username', { exposeHeadRoute: true, schema }, async ({ params: { username } }) => {
    const user = await getUser(users, username)
    if (!user) throw new UserNotFoundError(username)
    return user
  })
}

export default userRoutes
