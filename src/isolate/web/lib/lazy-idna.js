// Names of hosts beyond ASCII: the tables are loaded with the first such name.

export const toASCII = (domain, options) => web.need('idna').toASCII(domain, options)
