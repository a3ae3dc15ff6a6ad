/*
 * The lab's packets: who answers at an address, asked every few milliseconds.
 *
 *   packets serve NAME PORT                 a node: answers NAME to every datagram and connection
 *   packets ask ADDRESS PORT MS FILE        the client: one datagram and one connection every MS
 *   packets note FILE WORD COMMAND…         runs COMMAND, writes down when it began and ended
 *
 * FILE of `ask` gets a line for each question once it is settled:
 *   PROTOCOL NUMBER SENT ANSWERED NAME      "udp 17 81234567890 81234999999 node1"
 * with 0 and "-" for one that was not answered within WAIT_MS (an answer that comes after that is a
 * second line of the same number).  All times are nanoseconds of CLOCK_MONOTONIC, which all network
 * and pid namespaces share.  FILE of `note` gets "TIME WORD begin" and "TIME WORD end STATUS".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS        900 /* a busy machine's patience, shorter than TCP's first retransmission (1 s) */
#define ASKED          512 /* questions open at a time: WAIT_MS at the shortest interval, and room */
#define NAME_MAX_BYTES 32

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in address_of(const char *ip, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};

    if (inet_pton(AF_INET, ip, &address.sin_addr) != 1) {
        errno = EINVAL;
        die(ip);
    }
    return address;
}

/* ---- serve ----------------------------------------------------------------------------------- */

/* From the address that was asked, whatever the node's own is (ip(7), IP_PKTINFO). */
static void answer_datagram(int fd, const char *name)
{
    char question[64], control[256];
    struct iovec in = {question, sizeof(question) - NAME_MAX_BYTES};
    struct sockaddr_in from;
    struct msghdr message = {.msg_name = &from,
                             .msg_namelen = sizeof(from),
                             .msg_iov = &in,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t got = recvmsg(fd, &message, 0);

    if (got < 0)
        return;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof(info));
            info.ipi_ifindex = 0;
            info.ipi_spec_dst = info.ipi_addr;
            memcpy(CMSG_DATA(c), &info, sizeof(info));
        }
    in.iov_len = (size_t)got + (size_t)snprintf(question + got, NAME_MAX_BYTES, "%s", name);
    (void)sendmsg(fd, &message, MSG_NOSIGNAL);
}

static int serve(const char *name, const char *port)
{
    struct sockaddr_in address = address_of("0.0.0.0", port);
    int udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (strlen(name) >= NAME_MAX_BYTES)
        return 2;
    setsockopt(udp, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
    setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(udp, (struct sockaddr *)&address, sizeof(address)) ||
        bind(tcp, (struct sockaddr *)&address, sizeof(address)) || listen(tcp, 512))
        die("serve");
    for (;;) {
        struct pollfd ready[] = {{.fd = udp, .events = POLLIN}, {.fd = tcp, .events = POLLIN}};

        if (poll(ready, 2, -1) < 0)
            continue;
        if (ready[0].revents)
            answer_datagram(udp, name);
        if (ready[1].revents) {
            int fd = accept(tcp, NULL, NULL);

            if (fd >= 0) {
                (void)send(fd, name, strlen(name), MSG_NOSIGNAL);
                close(fd);
            }
        }
    }
}

/* ---- ask ------------------------------------------------------------------------------------- */

struct question {
    int64_t number, sent_ns; /* sent_ns 0: settled */
    int fd;                  /* of a connection */
};

static struct question datagrams[ASKED], connections[ASKED];
static FILE *out;

static void settle(const char *protocol, int64_t number, int64_t sent_ns, const char *name)
{
    fprintf(out, "%s %" PRId64 " %" PRId64 " %" PRId64 " %s\n", protocol, number, sent_ns,
            name ? now_ns() : 0, name ? name : "-");
    fflush(out);
}

static void send_datagram(int fd, int64_t number)
{
    struct question *question = &datagrams[number % ASKED];
    char text[32];
    int len;

    *question = (struct question){.number = number, .sent_ns = now_ns()};
    len = snprintf(text, sizeof(text), "%" PRId64 " %" PRId64 " ", number, question->sent_ns);
    (void)send(fd, text, (size_t)len, MSG_NOSIGNAL); /* an error is a question without an answer */
}

static void read_datagrams(int fd)
{
    char text[96];
    ssize_t got;

    while ((got = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0) {
        char *end;
        int64_t number, sent_ns;

        text[got] = '\0';
        number = strtoll(text, &end, 10);
        sent_ns = strtoll(end, &end, 10);
        if (*end != ' ')
            continue;
        if (datagrams[number % ASKED].number == number)
            datagrams[number % ASKED].sent_ns = 0;
        settle("udp", number, sent_ns, end + 1);
    }
}

static void hang_up(struct question *question)
{
    struct linger now = {.l_onoff = 1}; /* with RST: no TIME_WAIT at either end */

    setsockopt(question->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(question->fd);
    question->sent_ns = 0;
}

static void connect_to(const struct sockaddr_in *to, int64_t number)
{
    struct question *question = &connections[number % ASKED];

    question->number = number;
    question->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    question->sent_ns = now_ns();
    if (question->fd < 0)
        die("socket");
    if (connect(question->fd, (const struct sockaddr *)to, sizeof(*to)) && errno != EINPROGRESS) {
        settle("tcp", number, question->sent_ns, NULL);
        hang_up(question);
    }
}

static void read_connection(struct question *question)
{
    char name[NAME_MAX_BYTES];
    ssize_t got = recv(question->fd, name, sizeof(name) - 1, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    name[got > 0 ? got : 0] = '\0';
    settle("tcp", question->number, question->sent_ns, got > 0 ? name : NULL);
    hang_up(question);
}

static void give_up(int64_t before_ns)
{
    for (size_t i = 0; i < ASKED; i++) {
        if (datagrams[i].sent_ns && datagrams[i].sent_ns < before_ns) {
            settle("udp", datagrams[i].number, datagrams[i].sent_ns, NULL);
            datagrams[i].sent_ns = 0;
        }
        if (connections[i].sent_ns && connections[i].sent_ns < before_ns) {
            settle("tcp", connections[i].number, connections[i].sent_ns, NULL);
            hang_up(&connections[i]);
        }
    }
}

static void ask_once(int timer, int udp, const struct sockaddr_in *to, int64_t *number)
{
    uint64_t ticks;

    if (read(timer, &ticks, sizeof(ticks)) != sizeof(ticks))
        return;
    give_up(now_ns() - WAIT_MS * INT64_C(1000000));
    send_datagram(udp, ++*number);
    connect_to(to, *number);
}

/* Waits for one thing to happen, and does what it asks for. */
static void ask_round(int timer, int udp, const struct sockaddr_in *to, int64_t *number)
{
    struct pollfd ready[ASKED + 2] = {{.fd = timer, .events = POLLIN},
                                      {.fd = udp, .events = POLLIN}};
    struct question *whose[ASKED];
    nfds_t count = 2;

    for (size_t i = 0; i < ASKED; i++)
        if (connections[i].sent_ns) {
            whose[count - 2] = &connections[i];
            ready[count++] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
        }
    if (poll(ready, count, -1) < 0)
        return;
    if (ready[1].revents)
        read_datagrams(udp);
    for (nfds_t i = 2; i < count; i++)
        if (ready[i].revents)
            read_connection(whose[i - 2]);
    if (ready[0].revents)
        ask_once(timer, udp, to, number);
}

static void ask(const char *ip, const char *port, const char *ms, const char *file)
{
    struct sockaddr_in to = address_of(ip, port);
    int udp = socket(AF_INET, SOCK_DGRAM, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
    long every_ns = strtol(ms, NULL, 10) * 1000000;
    struct itimerspec interval = {.it_value = {.tv_nsec = every_ns},
                                  .it_interval = {.tv_nsec = every_ns}};
    int64_t number = 0;

    out = fopen(file, "ae");
    if (!out || every_ns < WAIT_MS * 1000000L / ASKED * 2 || every_ns >= 1000000000 ||
        connect(udp, (struct sockaddr *)&to, sizeof(to)) ||
        timerfd_settime(timer, 0, &interval, NULL))
        die("ask");
    for (;;)
        ask_round(timer, udp, &to, &number);
}

/* ---- note ------------------------------------------------------------------------------------ */

/* One write of one line: several nodes write into the file. */
__attribute__((format(printf, 2, 3))) static void put_line(const char *file, const char *format,
                                                           ...)
{
    char line[256];
    int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    int len;
    va_list args;

    va_start(args, format);
    len = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (fd < 0 || len < 0 || write(fd, line, (size_t)len) != len)
        perror(file);
    if (fd >= 0)
        close(fd);
}

static int note(const char *file, const char *word, char **command)
{
    int status = 0;
    pid_t child;

    put_line(file, "%" PRId64 " %s begin\n", now_ns(), word);
    child = fork();
    if (child < 0)
        die("fork");
    if (!child) {
        execvp(command[0], command);
        die(command[0]);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    put_line(file, "%" PRId64 " %s end %d\n", now_ns(), word, status);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "serve"))
        return serve(argv[2], argv[3]);
    if (argc == 6 && !strcmp(argv[1], "ask"))
        ask(argv[2], argv[3], argv[4], argv[5]);
    if (argc >= 5 && !strcmp(argv[1], "note"))
        return note(argv[2], argv[3], argv + 4);
    fprintf(
        stderr,
        "usage: packets serve NAME PORT | ask ADDRESS PORT MS FILE | note FILE WORD COMMAND…\n");
    return 2;
}
