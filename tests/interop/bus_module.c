/* A server module that sends MODULE messages on the bus: BUS.SEND <type> <payload>.
 *
 * The functions of the server are looked up by name, so that no header of a server is needed; the
 * first word of the context is the function that looks them up.
 */

#include <stddef.h>
#include <stdint.h>

typedef struct Context Context;
typedef struct String String;
typedef int (*Command)(Context *, String **, int);
typedef void (*Receiver)(Context *, const char *, uint8_t, const unsigned char *, uint32_t);

static int (*SetModuleAttribs)(Context *, const char *, int, int);
static int (*CreateCommand)(Context *, const char *, Command, const char *, int, int, int);
static int (*SendClusterMessage)(Context *, const char *, uint8_t, const char *, uint32_t);
static void (*RegisterClusterMessageReceiver)(Context *, uint8_t, Receiver);
static int (*StringToLongLong)(const String *, long long *);
static const char *(*StringPtrLen)(const String *, size_t *);
static int (*ReplyWithLongLong)(Context *, long long);

static void receive(Context *ctx, const char *sender, uint8_t type, const unsigned char *payload,
                    uint32_t length) {
    (void)ctx, (void)sender, (void)type, (void)payload, (void)length;
}

static int send_message(Context *ctx, String **argv, int argc) {
    long long type;
    size_t length;
    if (argc != 3 || StringToLongLong(argv[1], &type)) return ReplyWithLongLong(ctx, -1);
    const char *payload = StringPtrLen(argv[2], &length);
    return ReplyWithLongLong(ctx, SendClusterMessage(ctx, NULL, type, payload, length));
}

int RedisModule_OnLoad(Context *ctx, String **argv, int argc) {
    (void)argv, (void)argc;
    int (*look_up)(const char *, void *) = (int (*)(const char *, void *))((void **)ctx)[0];
    look_up("RedisModule_SetModuleAttribs", &SetModuleAttribs);
    look_up("RedisModule_CreateCommand", &CreateCommand);
    look_up("RedisModule_SendClusterMessage", &SendClusterMessage);
    look_up("RedisModule_RegisterClusterMessageReceiver", &RegisterClusterMessageReceiver);
    look_up("RedisModule_StringToLongLong", &StringToLongLong);
    look_up("RedisModule_StringPtrLen", &StringPtrLen);
    look_up("RedisModule_ReplyWithLongLong", &ReplyWithLongLong);
    SetModuleAttribs(ctx, "busmodule", 1, 1);
    RegisterClusterMessageReceiver(ctx, 7, receive);
    return CreateCommand(ctx, "bus.send", send_message, "", 0, 0, 0);
}
