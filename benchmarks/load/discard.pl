# Downloads one address and lets the kernel discard what arrives (MSG_TRUNC, tcp(7)), so that the figure tells what the
# server can send and not what the client can copy. Reads "host port path" and then the header lines from standard input;
# prints the status, the seconds from the request to the last byte, and the bytes of the body.
use strict;
use warnings;
use Socket qw(SOCK_STREAM pack_sockaddr_in inet_aton AF_INET MSG_TRUNC);
use Time::HiRes qw(time);

my ($host, $port, $path) = split ' ', scalar <STDIN>;
my $headers = join '', map { s/\r?\n$/\r\n/r } <STDIN>;
my $start = time;
socket(my $connection, AF_INET, SOCK_STREAM, 0) or die "socket: $!";
connect($connection, pack_sockaddr_in($port, inet_aton($host))) or die "connect: $!";
send($connection, "GET $path HTTP/1.1\r\nHost: $host:$port\r\nConnection: close\r\n$headers\r\n", 0) or die "send: $!";
my $head = '';
while (index($head, "\r\n\r\n") < 0) {
  defined recv($connection, my $piece, 1, 0) or die "recv: $!";
  length $piece or die 'the answer ended in its head';
  $head .= $piece;
}
my ($status) = $head =~ m{^HTTP/1\.1 (\d{3})} or die 'not an HTTP answer';
my ($length) = $head =~ /^content-length:\s*(\d+)/im or die 'the answer has no length';
my $bytes = 0;
while ($bytes < $length) {
  # With MSG_TRUNC the buffer's content means nothing, but its length is what was received.
  my $wanted = $length - $bytes < 262144 ? $length - $bytes : 262144;
  defined recv($connection, my $nothing, $wanted, MSG_TRUNC) or die "recv: $!";
  length $nothing or die "the body ended after $bytes bytes";
  $bytes += length $nothing;
}
printf "%d %.6f %d\n", $status, time - $start, $bytes;
