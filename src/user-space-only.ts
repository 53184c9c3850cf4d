/** What stands for a door of user space where there is none: on the host. */

/**
 * Makes a value that can be imported, taken apart and handed on, and that throws one sentence when it is called.
 * So a unit test in plain Node.js can import an agent's file and test what in it needs no kernel.
 * @param name how agent code calls the door, such as `fs` or `fs.read`
 */
export function userSpaceOnly<Door extends object>(name: string): Door {
  const door = Object.freeze(() => {
    throw new Error(
      `\`${name}\` exists in user space only; run the agent with \`gatehouse run\` or kernel.spawn`,
    )
  })
  return new Proxy(door as unknown as Door, {
    // `then` is what `await` looks for.
    get: (_door, key) =>
      typeof key !== 'string' || key === 'then' ? undefined : userSpaceOnly(`${name}.${key}`),
  })
}
